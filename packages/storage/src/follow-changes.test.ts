import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from './conformance/support.ts';
import { ChangeNotifier, followChanges } from './follow-changes.ts';
import type { ChangeBatch } from './store.ts';

test('a read that fails because it was aborted is no error; any other failure is', async () => {
  for (const aborts of [true, false]) {
    const reading = Promise.withResolvers<ChangeBatch>();
    const stop = new AbortController();
    const source = { currentRevision: () => 1, read: () => reading.promise, changed: new ChangeNotifier() };
    const next = followChanges(source, 0, stop.signal).next();
    await settle();
    if (aborts) stop.abort();
    reading.reject(new Error('connection closed'));
    if (aborts) assert.deepEqual(await next, { done: true, value: undefined });
    else await assert.rejects(next, /connection closed/);
  }
});

test('a change between two reads wakes the follower, and only while it waits', async () => {
  let revision = 0;
  const changed = new ChangeNotifier();
  const source = { currentRevision: () => revision, read: () => ({ revision, events: [] }), changed };
  const stop = new AbortController();
  const follower = followChanges(source, 0, stop.signal);
  const first = follower.next();
  await settle();
  revision = 3;
  changed.notify();
  assert.equal((await first).value?.revision, 3);
  revision = 5;
  changed.notify();
  assert.equal((await follower.next()).value?.revision, 5);
  const waiting = follower.next();
  await settle();
  changed.notify();
  await settle();
  stop.abort();
  assert.equal((await waiting).done, true);
});
