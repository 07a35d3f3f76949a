import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Measurement } from './measurement.ts';
import { mergeResults } from './results-file.ts';

const measured = (bench: string, backend: Measurement['backend'], value: number): Measurement => ({
  ...{ bench, backend, metric: 'something', at: {}, unit: 'ms', values: [value] },
});

test('a run in parts replaces what it measured again and keeps the rest', () => {
  const before = {
    measurements: [measured('gets', 'sqlite', 1), measured('gets', 'etcd', 2), measured('writes', 'sqlite', 3)],
    skipped: ['gets on sqlite: something: no round had a result', 'gets on postgres: not installed'],
  };
  const now = { measurements: [measured('gets', 'sqlite', 4)], skipped: [] };
  assert.deepEqual(mergeResults(before, now), {
    measurements: [measured('gets', 'etcd', 2), measured('writes', 'sqlite', 3), measured('gets', 'sqlite', 4)],
    skipped: ['gets on postgres: not installed'],
  });
  assert.deepEqual(mergeResults(undefined, now), now);
});
