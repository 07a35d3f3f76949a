import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import { Watchdog } from './watchdog.ts';

test('only a wait that is too long counts, however many short ones came before', async () => {
  const clock = new FakeClock();
  let barks = 0;
  using watchdog = new Watchdog(clock, 100, () => (barks += 1));
  for (let waits = 0; waits < 10; waits += 1) {
    watchdog.begin();
    await clock.advance(90);
    watchdog.end();
  }
  await clock.advance(1000);
  assert.equal(barks, 0);
  watchdog.begin();
  await clock.advance(99);
  assert.equal(barks, 0);
  await clock.advance(1);
  assert.equal(barks, 1);
});

test('nothing happens after it is disposed', async () => {
  const clock = new FakeClock();
  const watchdog = new Watchdog(clock, 100, () => assert.fail('barked'));
  watchdog.begin();
  watchdog[Symbol.dispose]();
  await clock.advance(1000);
  assert.equal(clock.pendingTimers, 0);
});
