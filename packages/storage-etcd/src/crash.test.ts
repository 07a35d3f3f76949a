import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '@arc/kernel';
import { createWriter, type Writer } from '@arc/storage';
import { followStore } from '@arc/storage/conformance';
import { openEtcdStore } from './etcd-store.ts';
import { bytes, creation, missingEtcd, testEtcds } from '../test/etcd.ts';

suite('an etcd that is killed under load', { skip: missingEtcd }, async () => {
  if (missingEtcd !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const server = await resources.use(testEtcds()).start();
  const one = resources.use(await openEtcdStore({ endpoints: [server.host] }));
  const two = resources.use(await openEtcdStore({ endpoints: [server.host] }));

  test('loses nothing acknowledged and applies nothing twice; feeds go on without a gap', async () => {
    await using followers = new AsyncDisposableStack();
    const feeds = [one, two].map((store) => followers.use(followStore(store)));
    const acknowledged = new Map<string, number>();
    const stop = new AbortController();
    const writers = [one, two].flatMap((store, index) => {
      const writer = createWriter(store);
      return Array.from({ length: 8 }, (_, i) => writeUntil(stop.signal, { writer, key: `/registry/${index}/${i}`, acknowledged }));
    });
    for (let round = 0; round < 4; round++) {
      const target = acknowledged.size + 300;
      while (acknowledged.size < target) await Promise.race([delay(2), ...writers]);
      if (round === 3) break;
      await server.kill();
      await server.start();
    }
    stop.abort();
    await Promise.all(writers);

    const newest = await one.currentRevision();
    const { items } = await two.range({ prefix: '' });
    for (const feed of feeds) {
      await feed.reached(newest);
      const revisions = feed.events.map(({ revision }) => revision);
      assert.deepEqual(
        revisions,
        Array.from({ length: newest - 1 }, (_, i) => i + 2),
        'every revision once and in order',
      );
      const writes = feed.events.map(({ key, value }) => `${key} ${Buffer.from(value ?? []).toString()}`);
      assert.equal(new Set(writes).size, writes.length, 'every write once');
      const told = new Map(writes.map((text, i) => [text, revisions[i]]));
      for (const [text, revision] of acknowledged) assert.equal(told.get(text), revision, text);
      const last = new Map(feed.events.map(({ key, revision }) => [key, revision]));
      assert.deepEqual(new Map(items.map(({ key, revision }) => [key, revision])), new Map([...last].sort(([a], [b]) => (a < b ? -1 : 1))));
    }
  });

  test('is an unavailable one meanwhile, for reads and writes, and recovers by itself', async () => {
    await using brief = await openEtcdStore({ endpoints: [server.host], timeoutMs: 300 });
    await server.kill();
    await assert.rejects(brief.get('/registry/a'), { code: 'Unavailable', retryable: true });
    await assert.rejects(brief.currentRevision(), { code: 'Unavailable' });
    // The first write may have been under way when the connection broke; from then on there is none to send one over.
    await brief.commit([creation('/registry/down')]).catch(() => {});
    await assert.rejects(brief.commit([creation('/registry/down')]), { code: 'Unavailable' });
    await server.start();
    const [outcome] = await two.commit([creation('/registry/down')]);
    assert.equal(outcome?.committed, true);
  });
});

/** Creates a key, updates it a few times, then goes on to the next, until told to stop; keeps what was acknowledged. */
async function writeUntil(
  signal: AbortSignal,
  { writer, key, acknowledged }: { readonly writer: Writer; readonly key: string; readonly acknowledged: Map<string, number> },
): Promise<void> {
  for (let object = 0; !signal.aborted; object++) {
    let expect: number | 'absent' = 'absent';
    for (let version = 0; version < 3 && !signal.aborted; version++) {
      try {
        const name = `${key}/${object}`;
        const outcome = await writer.write({ key: name, expect, value: bytes(`${version}`) });
        assert.ok(outcome.committed, `nobody else writes ${name}`);
        acknowledged.set(`${name} ${version}`, outcome.revision);
        expect = outcome.revision;
      } catch (error) {
        if (codeOf(error) !== 'Unavailable' && codeOf(error) !== 'OutcomeUnknown') throw error;
        break;
      }
    }
  }
}
