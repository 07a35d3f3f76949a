import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { importConformance } from '@arc/storage/conformance';
import { openEtcdStore } from './etcd-store.ts';
import { openEtcdImport } from './import-target.ts';
import { bytes, creation, missingEtcd, testEtcds, write } from '../test/etcd.ts';

suite('filling an etcd', { skip: missingEtcd }, async () => {
  if (missingEtcd !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const { host } = await resources.use(testEtcds()).start();
  let places = 0;
  const place = () => ({ endpoints: [host], layout: { storePrefix: '', etcdPrefix: `/import-${places++}` } });

  importConformance('the etcd', {
    async place() {
      const options = place();
      return { openTarget: () => openEtcdImport(options), openStore: () => openEtcdStore(options) };
    },
  });

  test('revisions of the source are never soon to come: they are over, or far away', async () => {
    const fill = async (revision: number): Promise<number> => {
      await using target = await openEtcdImport(place());
      await target.begin({ fingerprint: 'f', objects: 0, revision, command: 'again' });
      return (await target.finish(revision)).revision;
    };
    const first = await fill(0);
    assert.ok((await fill(first + 500)) >= first + 500);
    const wanted = first + 1_000_000;
    const far = await fill(wanted);
    assert.ok(far > first + 5_000 && far < wanted - 5_000, String(far));
  });

  test('what others write meanwhile is not overwritten, and said', async () => {
    const options = place();
    await using running = await openEtcdStore(options);
    await using target = await openEtcdImport(options);
    await target.begin({ fingerprint: 'f', objects: 1, revision: 1, command: 'again' });
    await write(running, creation('/a', 'of a server'));
    const writing = target.write([{ key: '/a', revision: 1, value: bytes('of the source') }]);
    await assert.rejects(writing, { code: 'BadDatabase', message: /something else has written "\/a"/ });
  });
});
