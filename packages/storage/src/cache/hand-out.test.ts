import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HandOut } from './hand-out.ts';

/** Partitions of watchers each of whom takes a sixteenth of a millisecond, on a clock that nothing else moves. */
function watchersOn(clock: { ms: number }, watchers: number, log: string[], name = 'w') {
  return {
    *handOut(): Generator<void, void, void> {
      for (let at = 0; at < watchers; at++) {
        clock.ms += 1 / 16;
        log.push(`${name}${at}`);
        yield;
      }
    },
  };
}

test('a few watchers are served in the next turn of the event loop, whatever resource they watch', async () => {
  const clock = { ms: 0 };
  const log: string[] = [];
  const handOut = new HandOut(() => clock.ms);
  handOut.want(watchersOn(clock, 2, log, 'a'));
  handOut.want(watchersOn(clock, 2, log, 'b'));
  assert.deepEqual(log, []);
  await nextTurn();
  assert.deepEqual(log, ['a0', 'a1', 'b0', 'b1']);
});

test('many watchers leave the event loop to others in between, and get as much time as those took', async () => {
  const clock = { ms: 0 };
  const log: string[] = [];
  const handOut = new HandOut(() => clock.ms);
  handOut.want(watchersOn(clock, 1000, log));
  const served: number[] = [];
  for (const others of [0, 0, 1, 1000]) {
    const before = log.length;
    clock.ms += others;
    await nextTurn();
    served.push(log.length - before);
  }
  assert.deepEqual(served, [4, 4, 16, 400]);
});

test('what comes while a round is under way waits for the next round, together', async () => {
  const clock = { ms: 0 };
  const log: string[] = [];
  const handOut = new HandOut(() => clock.ms);
  const watchers = watchersOn(clock, 6, log);
  handOut.want(watchers);
  await nextTurn();
  handOut.want(watchers);
  handOut.want(watchers);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  assert.equal(log.length, 12, 'two rounds');
  assert.deepEqual(log.slice(4, 8), ['w4', 'w5', 'w0', 'w1']);
});
