import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { WorkSlots } from './work-slots.ts';

test('first come, first served; who leaves wakes the next', () => {
  const woken: string[] = [];
  const slots = new WorkSlots(2, (key) => woken.push(key));
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => slots.tryEnter(key)),
    [true, true, false, false],
  );
  assert.equal(slots.tryEnter('a'), true, 'asking twice is harmless');
  slots.entered('a');
  slots.leave('a');
  assert.deepEqual(woken, ['c']);
  assert.equal(slots.tryEnter('d'), false, 'not before those who asked earlier');
  assert.equal(slots.tryEnter('c'), true);
});

test('never more under way than allowed, and everybody gets a turn', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.record({ key: fc.integer({ min: 0, max: 9 }).map(String), finish: fc.boolean() }), { maxLength: 60 }),
      (limit, steps) => {
        const running = new Set<string>();
        const pending = new Set<string>();
        const queue: string[] = [];
        const slots = new WorkSlots(limit, (key) => queue.push(key));
        const attempt = (key: string): void => {
          if (slots.tryEnter(key)) {
            running.add(key);
            pending.delete(key);
            slots.entered(key);
          } else pending.add(key);
          assert.ok(running.size <= limit);
        };
        const finish = (key: string): void => {
          running.delete(key);
          pending.delete(key);
          slots.leave(key);
          for (let next = queue.shift(); next !== undefined; next = queue.shift()) if (pending.has(next)) attempt(next);
        };
        for (const { key, finish: ends } of steps) {
          if (ends) finish(key);
          else attempt(key);
        }
        for (let [next] = running; next !== undefined; [next] = running) finish(next);
        assert.equal(pending.size, 0, 'nobody is left behind');
      },
    ),
  );
});
