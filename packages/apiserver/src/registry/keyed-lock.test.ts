import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyedLock } from './keyed-lock.ts';

const { signal } = new AbortController();

test('work on one key runs in order of arrival, also after a failure; other keys do not wait', async () => {
  const lock = keyedLock();
  const gate = Promise.withResolvers<void>();
  const log: string[] = [];
  const first = lock.run('a', signal, async () => {
    await gate.promise;
    log.push('a1');
    throw new Error('failed');
  });
  const second = lock.run('a', signal, async () => log.push('a2'));
  await lock.run('b', signal, async () => log.push('b1'));
  assert.deepEqual(log, ['b1']);
  gate.resolve();
  await assert.rejects(first, /failed/);
  await second;
  assert.deepEqual(log, ['b1', 'a1', 'a2']);
});

test('who gives up waiting never begins, and lets nobody overtake', async () => {
  const lock = keyedLock();
  const gate = Promise.withResolvers<void>();
  const log: string[] = [];
  const first = lock.run('a', signal, async () => {
    await gate.promise;
    log.push('first');
  });
  const stop = new AbortController();
  const second = lock.run('a', stop.signal, async () => log.push('second'));
  const third = lock.run('a', signal, async () => log.push('third'));
  stop.abort(new Error('too late'));
  await assert.rejects(second, /too late/);
  assert.deepEqual(log, []);
  gate.resolve();
  await Promise.all([first, third]);
  assert.deepEqual(log, ['first', 'third']);
});
