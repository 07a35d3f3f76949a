import type { Workflow } from '@arc/api/argo';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineFinalizer } from './labels.ts';
import { leanWorkflow } from './lean-workflow.ts';

function workflow(phase: string, finalizers: readonly string[] = []): Workflow {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    metadata: { name: 'w', uid: 'u', finalizers: [...finalizers], managedFields: [{ manager: 'm' }] },
    spec: { entrypoint: 'main' },
    status: { phase, finishedAt: '2026-01-01T00:00:00Z', progress: '1/1', nodes: {} },
  } as Workflow;
}

test('only what has ended and holds nothing is reduced to how it ended', () => {
  for (const whole of [workflow('Running'), workflow(''), workflow('Succeeded', [engineFinalizer])]) {
    assert.equal(leanWorkflow(whole), whole);
  }
  const { metadata, spec, status } = leanWorkflow(workflow('Failed', ['of/others']));
  assert.deepEqual(
    { metadata, spec, status },
    {
      metadata: { name: 'w', uid: 'u', finalizers: ['of/others'] },
      spec: {},
      status: { phase: 'Failed', finishedAt: '2026-01-01T00:00:00Z' },
    },
  );
});
