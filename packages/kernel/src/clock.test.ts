import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from './clock.ts';

test('FakeClock fires timers in due order and moves only when told', async () => {
  const clock = new FakeClock(0);
  const fired: string[] = [];
  clock.after(20, () => fired.push('b'));
  clock.after(10, () => fired.push('a'));
  const cancelled = clock.after(5, () => fired.push('never'));
  cancelled[Symbol.dispose]();
  await clock.advance(15);
  assert.deepEqual(fired, ['a']);
  assert.equal(clock.now(), 15);
  await clock.advance(5);
  assert.deepEqual(fired, ['a', 'b']);
});

test('FakeClock.jump moves the time of day, and neither timers nor the time that has passed', async () => {
  const clock = new FakeClock(0);
  let fired = false;
  clock.after(10, () => (fired = true));
  clock.jump(3_600_000);
  await clock.advance(5);
  assert.deepEqual([clock.now(), clock.monotonic(), fired], [3_600_005, 5, false]);
  clock.jump(-7_200_000);
  await clock.advance(5);
  assert.deepEqual([clock.now(), clock.monotonic(), fired], [-3_599_990, 10, true]);
});

test('FakeClock.sleep rejects with the reason of the signal', async () => {
  const clock = new FakeClock(0);
  const controller = new AbortController();
  const sleeping = clock.sleep(100, controller.signal);
  controller.abort(new Error('stopped'));
  await assert.rejects(sleeping, /stopped/);
  assert.equal(clock.pendingTimers, 0);
});
