import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Order } from '@arc/api/arc';
import { progressOf } from './order-progress.ts';

test('an artifact that goes to several Endpoints is told apart by them', () => {
  const order: Order = {
    ...{ apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'Order', metadata: { namespace: 'default', name: 'both' } },
    spec: { artifacts: [{ type: 'oci', spec: { image: 'demo/app:v1' }, dstRefs: [{ name: 'one' }, { name: 'two' }] }] },
    status: {
      artifactWorkflows: {
        aaa: { artifactIndex: 0, phase: 'Succeeded', destination: 'one' },
        bbb: { artifactIndex: 0, phase: 'Running', destination: 'two' },
      },
    },
  };
  assert.deepEqual(
    progressOf(order, false).map(({ label, state }) => `${label}: ${state}`),
    ['demo/app:v1 -> one: succeeded', 'demo/app:v1 -> two: running'],
  );
});

test('progress is in bytes or in steps, as the status says, however little it is', () => {
  const run = (progressUnit: string | undefined): Order => ({
    ...{ apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'Order', metadata: { namespace: 'default', name: 'small' } },
    spec: { artifacts: [{ type: 'blob', spec: { path: 'a.txt' } }] },
    status: {
      artifactWorkflows: {
        aaa: { artifactIndex: 0, phase: 'Running', progress: '0/134', ...(progressUnit !== undefined && { progressUnit }) },
      },
    },
  });
  const [inBytes, inSteps, unsaid] = ['Bytes', 'Steps', undefined].map((unit) => progressOf(run(unit), false)[0]);
  assert.deepEqual([inBytes?.step, inBytes?.doneBytes, inBytes?.totalBytes], [undefined, 0, 134]);
  assert.deepEqual([inSteps?.step, inSteps?.totalBytes], ['0 of 134 steps', undefined]);
  assert.equal(unsaid?.step, '0 of 134 steps');
});
