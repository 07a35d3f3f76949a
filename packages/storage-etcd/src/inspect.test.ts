import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { openEtcdStore } from './etcd-store.ts';
import { openEtcdImport } from './import-target.ts';
import { inspectEtcd } from './inspect.ts';
import { creation, missingEtcd, testEtcds, write } from '../test/etcd.ts';

suite('looking at an etcd', { skip: missingEtcd }, async () => {
  if (missingEtcd !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const { host } = await resources.use(testEtcds()).start();

  test('what it holds below the prefix is counted by resource', async () => {
    const options = { endpoints: [host], layout: { etcdPrefix: '/a' } };
    await using store = await openEtcdStore(options);
    for (const name of ['core/secrets/n/a', 'core/secrets/n/b', 'a.b/things/t']) await write(store, creation(`/registry/${name}`, 'x'));
    const { revision, compactedRevision, serverVersion, bytes, ...facts } = await inspectEtcd(options);
    assert.deepEqual(facts, { objects: 3, resources: { secrets: 2, 'things.a.b': 1 }, unfinished: undefined });
    assert.equal(revision, await store.currentRevision());
    assert.equal(compactedRevision, 0);
    assert.match(serverVersion, /^3\./);
    assert.ok(bytes > 0);
  });

  test('a copy that was not finished is told of, and not counted as an object', async () => {
    const options = { endpoints: [host], layout: { etcdPrefix: '/half' } };
    await using target = await openEtcdImport(options);
    await target.begin({ fingerprint: 'f', objects: 9, revision: 9, command: 'arcctl storage copy --from a --to b' });
    await target.write([{ key: '/registry/core/secrets/n/a', revision: 1, value: Buffer.from('x') }]);
    const { objects, unfinished, compactedRevision } = await inspectEtcd(options);
    assert.deepEqual([objects, unfinished, compactedRevision], [1, 'arcctl storage copy --from a --to b', undefined]);
  });
});
