import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import { compactRegularly } from './compaction.ts';
import { put } from './conformance/support.ts';
import { createMemoryStore } from './memory/memory-store.ts';

test('history is kept while it is young or short, and forgotten after', async () => {
  await using store = createMemoryStore();
  const clock = new FakeClock(0);
  const stop = new AbortController();
  const ended = compactRegularly(store, { signal: stop.signal, keepMs: 600_000, keepRevisions: 10, everyMs: 60_000, clock });
  for (let i = 0; i < 30; i++) await put(store, `/${i}`, 'x');
  await clock.advance(60_000);
  for (let i = 30; i < 50; i++) await put(store, `/${i}`, 'x');
  await clock.advance(540_000);
  assert.equal(await store.compactedRevision(), 0, 'nothing is older than ten minutes but the empty store');
  await clock.advance(60_000);
  assert.equal(await store.compactedRevision(), 30);
  await clock.advance(60_000);
  assert.equal(await store.compactedRevision(), 40, 'ten revisions stay however old they are');
  await clock.advance(6_000_000);
  assert.equal(await store.compactedRevision(), 40);
  stop.abort();
  await ended;
  assert.equal(clock.pendingTimers, 0);
});

test('a clock that jumps makes nothing older or younger', async () => {
  await using store = createMemoryStore();
  const clock = new FakeClock(0);
  const stop = new AbortController();
  const ended = compactRegularly(store, { signal: stop.signal, keepMs: 600_000, keepRevisions: 0, everyMs: 60_000, clock });
  for (let i = 0; i < 5; i++) await put(store, `/${i}`, 'x');
  await clock.advance(60_000);
  clock.jump(24 * 3_600_000);
  await clock.advance(540_000);
  assert.equal(await store.compactedRevision(), 0, 'what is ten minutes old by the wall only is kept');
  clock.jump(-48 * 3_600_000);
  await clock.advance(60_000);
  assert.equal(await store.compactedRevision(), 5);
  stop.abort();
  await ended;
});

test('a store that fails is asked again later', async () => {
  const store = createMemoryStore();
  const clock = new FakeClock(0);
  const stop = new AbortController();
  for (let i = 0; i < 5; i++) await put(store, `/${i}`, 'x');
  let failures = 2;
  const flaky = {
    ...bind(store),
    compact: (revision: number) => (failures-- > 0 ? Promise.reject(new Error('busy')) : store.compact(revision)),
  };
  const ended = compactRegularly(flaky, { signal: stop.signal, keepMs: 0, keepRevisions: 1, everyMs: 1000, clock });
  await clock.advance(2000);
  assert.equal(await store.compactedRevision(), 4);
  assert.equal(failures, -1);
  stop.abort();
  await ended;
});

function bind(store: ReturnType<typeof createMemoryStore>): ReturnType<typeof createMemoryStore> {
  return {
    commit: (batch) => store.commit(batch),
    get: (key) => store.get(key),
    range: (options) => store.range(options),
    currentRevision: () => store.currentRevision(),
    changes: (after, signal) => store.changes(after, signal),
    compact: (revision) => store.compact(revision),
    compactedRevision: () => store.compactedRevision(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
