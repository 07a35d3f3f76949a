import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Measurement, Results } from '../results/measurement.ts';
import { curvesOf } from './curves.ts';
import { reportPage } from './page.ts';

function resultsWith(measurements: readonly Measurement[]): Results {
  return {
    date: '2026-01-02',
    size: 'full',
    machine: { cpu: 'A CPU', cores: 2, memoryBytes: 8e9, kernel: '6.1', node: '24.0.0', versions: { SQLite: '3.50' } },
    measurements,
    skipped: ['writes on etcd: no etcd on the PATH'],
  };
}

const create = (writers: number, values: readonly number[]): Measurement => ({
  bench: 'writes',
  backend: 'sqlite',
  metric: 'create throughput',
  at: { writers },
  unit: '1/s',
  values,
  baseline: { name: 'raw inserts', values: values.map((value) => value * 4) },
});

function rowOf(page: string, start: string): string {
  return page.split('\n').find((line) => line.startsWith(`| ${start}`)) ?? '';
}

test('budgets are judged by the median: reached, held, missed with how far, or not measured', () => {
  const page = (perSecond: number): string => reportPage({ results: resultsWith([create(50, [1, perSecond, 1e6])]) });
  const path = 'durable creates by 50 writers, SQLite';
  assert.match(rowOf(page(9000), path), /\| 9,000\/s \| >= 4,000\/s \| >= 8,000\/s \| stretch goal \|$/);
  assert.match(rowOf(page(5000), path), /\| holds \|$/);
  assert.match(rowOf(page(2000), path), /\| \*\*missed\*\* \|$/);
  assert.match(page(2000), /Of 24, 0 reach the stretch goal, 0 more hold, 1 are missed, 23 were not measured\./);
  assert.match(page(2000), /- durable creates by 50 writers, SQLite: 2,000\/s for 4,000\/s, 2\.00 times off/);
  assert.match(rowOf(page(2000), 'memory of a watcher'), /\| - \|.*\| not measured \|$/);
});

test('the page names the machine, the spread, the ratio to the baseline, what was skipped, and only plots that are drawn', () => {
  const results = resultsWith([create(1, [90, 100, 110]), create(50, [2000, 3000, 4000])]);
  const page = reportPage({ results });
  assert.match(page, /A CPU, 2 cores, 8\.00 GB of memory/);
  assert.match(page, /Not measured: writes on etcd: no etcd on the PATH\./);
  assert.match(rowOf(page, 'SQLite |'), /100\/s \(90\.0-110\) \| 3,000\/s \(2,000-4,000\) \|/);
  assert.match(rowOf(page, 'SQLite: raw inserts | 50'), /\| 12,000\/s \| 0\.250x \|$/);
  const shown = [...page.matchAll(/\]\(performance\/([^)]+)\)/g)].map(([, file]) => file);
  assert.deepEqual(
    shown,
    curvesOf(results).map(({ file }) => file),
  );
  assert.deepEqual(shown, ['creates-by-writers.svg']);
});

test('servers that were compared stand side by side with their ratio', () => {
  const compared = (server: string, values: readonly number[]): Measurement => ({
    ...{ bench: 'compare', backend: 'none', metric: 'LIST of 10000, P50', at: { server }, unit: 'ms', values },
  });
  const comparison = resultsWith([compared('ARC', [10, 20, 30]), compared('other', [40, 40, 90])]);
  const page = reportPage({ results: resultsWith([]), comparison });
  assert.match(rowOf(page, 'LIST of 10000, P50'), /\| 20\.0 ms \| 40\.0 ms \(3\.00x\) \|$/);
});
