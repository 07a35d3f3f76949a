import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isFinishedPhase, rollUpOrder } from './phase.ts';
import type { RolledUpRun } from './phase.ts';

test('the roll-up says what people would say', () => {
  const cases: [runs: RolledUpRun[], phase: string][] = [
    [[], 'Succeeded'],
    [[{}], 'Pending'],
    [[{ phase: 'Pending' }, { phase: 'Pending', blocked: true }], 'Pending'],
    [[{ phase: 'Pending', blocked: true }, { phase: 'Succeeded' }], 'Pending'],
    [[{ phase: 'Succeeded' }, { phase: 'Pending' }], 'Running'],
    [[{ phase: 'Running' }, { phase: 'Failed' }], 'Running'],
    [[{ phase: 'Failed' }, { phase: 'Succeeded' }], 'Failed'],
    [[{ phase: 'Failed' }, { phase: 'Pending', blocked: true }], 'Failed'],
    [[{ phase: 'Error' }], 'Failed'],
    [[{ phase: 'Stopped' }], 'Failed'],
    [[{ phase: 'Active' }], 'Active'],
    [[{ phase: 'Active' }, { phase: 'Succeeded' }], 'Active'],
    [[{ phase: 'Active' }, { phase: 'Pending' }], 'Running'],
    [[{ phase: 'Active' }, { phase: 'Failed' }], 'Failed'],
    [[{ phase: 'Active' }, { phase: 'Pending', blocked: true }], 'Pending'],
    [[{ phase: 'Succeeded' }], 'Succeeded'],
  ];
  for (const [runs, phase] of cases) assert.equal(rollUpOrder(runs).phase, phase, JSON.stringify(runs));
});

const run = fc.record({
  phase: fc.constantFrom(undefined, '', 'Pending', 'Running', 'Succeeded', 'Failed', 'Error', 'Active', 'Stopped'),
  blocked: fc.boolean(),
});

test('every run is counted once, order does not matter, and an end is an end of all but schedules', () => {
  fc.assert(
    fc.property(fc.array(run), (runs) => {
      const { phase, counts } = rollUpOrder(runs);
      const { total, ...parts } = counts;
      assert.equal(total, runs.length);
      assert.equal(
        Object.values(parts).reduce((sum, part) => sum + part, 0),
        total,
      );
      assert.deepEqual(rollUpOrder([...runs].reverse()), { phase, counts });
      if (phase === 'Succeeded') assert.ok(runs.every(({ phase }) => phase === 'Succeeded'));
      if (phase === 'Failed') assert.ok(runs.every(({ phase, blocked }) => isFinishedPhase(phase) || blocked || phase === 'Active'));
      if (phase === 'Active') assert.ok(runs.every(({ phase }) => phase === 'Succeeded' || phase === 'Active'));
    }),
  );
});
