import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeEvent, Store } from '../store.ts';
import type { StoreAdapter } from './adapter.ts';
import { changesUntil, plainEvent, put, settle, text, write } from './support.ts';

export function changeTests(adapter: StoreAdapter): void {
  test('changes tell every write with its value and the one before', async () => {
    await using store = await adapter.open();
    const a1 = await put(store, '/a', 'a1');
    const b1 = await put(store, '/b', 'b1');
    const a2 = await put(store, '/a', 'a2', a1);
    await write(store, { key: '/a', expect: 'absent', value: text('refused') });
    const a3 = await put(store, '/a', null, a2);
    const a4 = await put(store, '/a', 'a4');
    assert.deepEqual((await changesUntil(store, 0, a4)).map(plainEvent), [
      { key: '/a', revision: a1, value: 'a1', previous: undefined },
      { key: '/b', revision: b1, value: 'b1', previous: undefined },
      { key: '/a', revision: a2, value: 'a2', previous: { key: '/a', revision: a1, value: 'a1' } },
      { key: '/a', revision: a3, value: null, previous: { key: '/a', revision: a2, value: 'a2' } },
      { key: '/a', revision: a4, value: 'a4', previous: undefined },
    ]);
  });

  test('changes can be resumed from any revision, exactly once and in order', async () => {
    await using store = await adapter.open();
    const revisions = await writeMany(store, 1500);
    const newest = revisions.at(-1) ?? 0;
    for (const after of [0, 1, 249, 250, 251, 700, 1498, 1499]) {
      const seen = await changesUntil(store, revisions[after - 1] ?? 0, newest);
      assert.deepEqual(
        seen.map(({ revision }) => revision),
        revisions.slice(after),
        `after ${after}`,
      );
    }
  });

  test('followers see later writes, each at its own pace', async () => {
    await using store = await adapter.open();
    await put(store, '/before', 'x');
    const stop = new AbortController();
    const followers = [0, 1, 7].map((pause) => follow(store, stop.signal, pause));
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let i = 0; i < 20; i++) await put(store, `/w${writer}/${i}`, 'x');
    });
    await Promise.all(writers);
    const newest = await store.currentRevision();
    for (const follower of followers) {
      await follower.reached(newest);
      assert.equal(follower.events.length, 161);
      assert.ok(follower.events.every(({ revision }, i) => revision > (follower.events[i - 1]?.revision ?? 0)));
    }
    stop.abort();
    await Promise.all(followers.map(({ ended }) => ended));
  });

  test('an aborted signal ends changes without an error, waiting or not', async () => {
    await using store = await adapter.open();
    const newest = await put(store, '/a', '1');
    for await (const batch of store.changes(0, AbortSignal.abort())) assert.fail(`unexpected batch ${batch.revision}`);
    const stop = new AbortController();
    const ended = drain(store.changes(newest, stop.signal));
    await settle();
    stop.abort();
    assert.deepEqual(await ended, []);
  });

  test('changes from the future are refused, and closing the store ends followers with an error', async () => {
    const store = await adapter.open();
    const newest = await put(store, '/a', '1');
    const stop = new AbortController();
    await assert.rejects(drain(store.changes(newest + 1, stop.signal)), { code: 'FutureRevision' });
    const told = assert.rejects(drain(store.changes(newest, stop.signal)), { code: 'Closed' });
    await settle();
    await store[Symbol.asyncDispose]();
    await told;
  });

  test('changes reach back to the compacted revision and no further', async () => {
    await using store = await adapter.open();
    const revisions = await writeMany(store, 1200);
    const compacted = revisions[1099] ?? 0;
    const newest = revisions.at(-1) ?? 0;
    await store.compact(compacted);
    const stop = new AbortController();
    await assert.rejects(drain(store.changes(0, stop.signal)), { code: 'Compacted' });
    await assert.rejects(drain(store.changes(compacted - 1, stop.signal)), { code: 'Compacted' });
    assert.equal((await changesUntil(store, compacted, newest)).length, 100);
    await store.compact(newest);
    await assert.rejects(drain(store.changes(compacted, stop.signal)), { code: 'Compacted' });
    const next = await put(store, '/next', 'x');
    assert.deepEqual(
      (await changesUntil(store, newest, next)).map(({ key }) => key),
      ['/next'],
    );
  });

  test('a follower that compaction overtakes is told, and misses nothing silently', async () => {
    await using store = await adapter.open();
    await writeMany(store, 3000);
    const stop = new AbortController();
    let last = 0;
    const following = (async () => {
      for await (const batch of store.changes(0, stop.signal)) {
        assert.equal(batch.events[0]?.revision, last === 0 ? batch.events[0]?.revision : last + 1);
        if (last === 0) await store.compact(await store.currentRevision());
        last = batch.revision;
      }
    })();
    await assert.rejects(following, { code: 'Compacted' });
    assert.ok(last > 0);
  });
}

/** Commits `count` creations in batches and returns their revisions. */
async function writeMany(store: Store, count: number): Promise<number[]> {
  const revisions: number[] = [];
  for (let from = 0; from < count; from += 100) {
    const keys = Array.from({ length: Math.min(100, count - from) }, (_, i) => `/many/${from + i}`);
    const outcomes = await store.commit(keys.map((key) => ({ key, expect: 'absent', value: text(key) })));
    for (const outcome of outcomes) if (outcome.committed) revisions.push(outcome.revision);
  }
  assert.equal(revisions.length, count);
  return store.independentWrites === true ? revisions.toSorted((a, b) => a - b) : revisions;
}

async function drain(changes: ReturnType<Store['changes']>): Promise<ChangeEvent[]> {
  const events: ChangeEvent[] = [];
  for await (const batch of changes) events.push(...batch.events);
  return events;
}

interface Follower {
  readonly events: readonly ChangeEvent[];
  readonly ended: Promise<void>;
  reached(revision: number): Promise<void>;
}

/** Follows from the beginning; after each batch lets `pause` turns of the event loop go by. */
function follow(store: Store, signal: AbortSignal, pause: number): Follower {
  const events: ChangeEvent[] = [];
  let revision = 0;
  const ended = (async () => {
    for await (const batch of store.changes(0, signal)) {
      events.push(...batch.events);
      revision = batch.revision;
      for (let i = 0; i < pause; i++) await settle();
    }
  })();
  return {
    events,
    ended,
    async reached(wanted) {
      while (revision < wanted) await Promise.race([settle(), ended]);
    },
  };
}
