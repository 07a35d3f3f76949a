import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecorder } from './recorder.ts';

const common = { bench: 'writes', backend: 'sqlite', metric: 'delete throughput', at: {}, unit: '1/s' } as const;

test('a round without a result is left out, with the round of the baseline beside it', () => {
  const recorder = createRecorder(() => undefined);
  recorder.record({ ...common, values: [10, Number.NaN, 30], baseline: { name: 'raw', values: [1, 2, 3] } });
  recorder.record({ ...common, values: [10], baseline: { name: 'raw, measured once more', values: [1, 2] } });
  assert.deepEqual(
    recorder.measurements.map(({ values, baseline }) => [values, baseline?.values]),
    [
      [
        [10, 30],
        [1, 3],
      ],
      [[10], [1, 2]],
    ],
  );
});

test('what no round has a result of is skipped by name', () => {
  const recorder = createRecorder(() => undefined);
  recorder.record({ ...common, values: [Number.NaN, Infinity] });
  assert.deepEqual(recorder.measurements, []);
  assert.deepEqual(recorder.skipped, ['writes on sqlite: delete throughput: no round had a result']);
});
