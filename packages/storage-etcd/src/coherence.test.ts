import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { compareKeys, createWriter } from '@arc/storage';
import { followStore } from '@arc/storage/conformance';
import { openEtcdStore } from './etcd-store.ts';
import { bytes, committed, creation, missingEtcd, testEtcds } from '../test/etcd.ts';

suite('stores on one etcd', { skip: missingEtcd }, async () => {
  if (missingEtcd !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const { host } = await resources.use(testEtcds()).start();
  const open = async (etcdPrefix: string) => resources.use(await openEtcdStore({ endpoints: [host], layout: { etcdPrefix } }));
  const one = await open('/a');
  const two = await open('/a');
  const foreign = await open('/b');

  test('what one acknowledged is in the next snapshot and feed of the other', async () => {
    await using follower = followStore(two, { after: await two.currentRevision() });
    const writer = createWriter(one);
    for (let round = 0; round < 5; round++) {
      const keys = Array.from({ length: 40 }, (_, i) => `/registry/r${round}/${i}`);
      const outcomes = await Promise.all(keys.map((key) => writer.write(creation(key))));
      const newest = Math.max(...outcomes.map((outcome) => (outcome.committed ? outcome.revision : 0)));
      assert.ok((await two.currentRevision()) >= newest);
      const { items } = await two.range({ prefix: `/registry/r${round}/` });
      assert.deepEqual(
        items.map(({ key }) => key),
        keys.toSorted(compareKeys),
      );
      await follower.reached(newest);
    }
    assert.equal(new Set(follower.events.map(({ key }) => key)).size, 200);
    assert.equal(follower.events.length, 200);
  });

  test('both swap on the same revision and one wins', async () => {
    const first = await committed(one, creation('/registry/swap', '0'));
    const swaps = [one, two].map(async (store, i) => store.commit([{ key: '/registry/swap', expect: first, value: bytes(`${i}`) }]));
    const outcomes = (await Promise.all(swaps)).flat();
    assert.deepEqual(outcomes.map((outcome) => outcome.committed).sort(), [false, true]);
  });

  test('a feed advances over what others write beside it', async () => {
    const start = await one.currentRevision();
    await using follower = followStore(one, { after: start });
    const beside = await committed(foreign, creation('/registry/beside'));
    const deleted = await committed(foreign, { key: '/registry/beside', expect: beside, value: null });
    assert.equal(await one.currentRevision(), deleted);
    await follower.reached(deleted);
    assert.deepEqual(follower.events, []);
    const own = await committed(two, creation('/registry/own'));
    await follower.reached(own);
    await committed(foreign, creation('/registry/beside'));
    const gone = await committed(two, { key: '/registry/own', expect: own, value: null });
    await follower.reached(gone);
    assert.deepEqual(
      follower.events.map(({ key, revision }) => [key, revision]),
      [
        ['/registry/own', own],
        ['/registry/own', gone],
      ],
    );
    assert.equal((await one.range({ prefix: '/registry/beside' })).items.length, 0, 'prefixes keep apart');
  });

  test('large ranges come in pages of one snapshot', async () => {
    const keys = Array.from({ length: 1234 }, (_, i) => `/registry/many/${String(i).padStart(4, '0')}`);
    await one.commit(keys.map((key) => creation(key)));
    const { items, more } = await two.range({ prefix: '/registry/many/' });
    assert.deepEqual([items.map(({ key }) => key), more], [keys, false]);
    const some = await two.range({ prefix: '/registry/many/', limit: 700, after: '/registry/many/0009' });
    assert.deepEqual([some.items.map(({ key }) => key), some.more], [keys.slice(10, 710), true]);
  });

  test('compaction by one is told by the other, to snapshots and feeds alike', async () => {
    const old = await committed(one, creation('/registry/compacted'));
    await using follower = followStore(two, { after: old });
    const gone = await committed(one, { key: '/registry/compacted', expect: old, value: null });
    await follower.reached(gone);
    await one.compact(gone);
    assert.equal(await two.compactedRevision(), gone);
    await assert.rejects(two.range({ prefix: '', revision: old }), { code: 'Compacted' });
    const stop = new AbortController();
    await assert.rejects(Array.fromAsync(two.changes(old, stop.signal)), { code: 'Compacted' });
    const next = await committed(one, creation('/registry/next'));
    await follower.reached(next);
    assert.deepEqual(
      follower.events.map(({ revision }) => revision),
      [gone, next],
      'a feed that kept up notices nothing',
    );
    await using fresh = await openEtcdStore({ endpoints: [host] });
    assert.equal(await fresh.compactedRevision(), gone);
  });
});
