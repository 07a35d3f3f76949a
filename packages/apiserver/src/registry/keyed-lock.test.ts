import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyedLock } from './keyed-lock.ts';

test('work on one key runs in order of arrival, also after a failure; other keys do not wait', async () => {
  const lock = keyedLock();
  const gate = Promise.withResolvers<void>();
  const log: string[] = [];
  const first = lock.run('a', async () => {
    await gate.promise;
    log.push('a1');
    throw new Error('failed');
  });
  const second = lock.run('a', async () => log.push('a2'));
  await lock.run('b', async () => log.push('b1'));
  assert.deepEqual(log, ['b1']);
  gate.resolve();
  await assert.rejects(first, /failed/);
  await second;
  assert.deepEqual(log, ['b1', 'a1', 'a2']);
});
