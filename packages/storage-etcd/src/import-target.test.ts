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
