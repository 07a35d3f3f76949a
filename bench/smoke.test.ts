import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plans } from './plan.ts';
import { reportPage } from './report/page.ts';
import { createRecorder } from './results/recorder.ts';
import { missingBackend, type BackendName } from './server/backends.ts';
import { suite } from './suite.ts';

// Not what the figures are, but that every bench still runs to its end and measures something.
const [databases, tiny] = [['sqlite', 'postgres', 'etcd'] as const, { ...plans.small, rounds: 1 }];

for (const bench of suite) {
  test(`${bench.name} measures finite figures`, async () => {
    assertFinite(await measure(bench, 'memory'));
  });
}

for (const backend of databases) {
  test(`writes are measured on ${backend}, beside raw ones`, { skip: missingBackend(backend) ?? false }, async () => {
    const writes = suite.find(({ name }) => name === 'writes');
    assert.ok(writes !== undefined);
    const recorder = await measure(writes, backend);
    assertFinite(recorder);
    assert.ok(recorder.measurements.some(({ baseline }) => baseline !== undefined));
    const results = { date: '', size: 'small', machine: { cpu: '', cores: 1, memoryBytes: 1, kernel: '', node: '', versions: {} } };
    assert.match(reportPage({ results: { ...results, ...recorder } }), /^## Writes$/m);
  });
}

async function measure(bench: (typeof suite)[number], backend: BackendName): Promise<ReturnType<typeof createRecorder>> {
  const recorder = createRecorder(() => {});
  await bench.run({ backend, plan: tiny, recorder });
  return recorder;
}

function assertFinite({ measurements }: ReturnType<typeof createRecorder>): void {
  assert.ok(measurements.length > 0);
  for (const { metric, values } of measurements) {
    assert.ok(values.length > 0 && values.every((value) => Number.isFinite(value)), `${metric}: ${values.join(', ')}`);
  }
}
