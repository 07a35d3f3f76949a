import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argoKinds, workflowDefinition } from './index.ts';

test('a Workflow has no status subresource, as in Argo, and its fields are kept whatever they are', () => {
  assert.equal(workflowDefinition.subresources, undefined);
  assert.equal(workflowDefinition.schema.properties?.['spec']?.['x-kubernetes-preserve-unknown-fields'], true);
  assert.equal(workflowDefinition.schema.properties?.['status']?.['x-kubernetes-preserve-unknown-fields'], true);
});

test('the columns of a Workflow show phase, start and message', () => {
  const cells = workflowDefinition.columns?.map((column) =>
    column.value({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Workflow',
      metadata: { name: 'w' },
      spec: {},
      status: { phase: 'Failed', startedAt: '2026-01-01T00:00:00Z', message: 'child failed' },
    }),
  );
  assert.deepEqual(cells, ['Failed', '2026-01-01T00:00:00Z', 'child failed']);
});

test('the kinds carry the short names of Argo', () => {
  assert.deepEqual(
    argoKinds.map((kind) => [kind.names.plural, kind.scope, kind.names.shortNames]),
    [
      ['workflows', 'Namespaced', ['wf']],
      ['cronworkflows', 'Namespaced', ['cwf', 'cronwf']],
      ['workflowtemplates', 'Namespaced', ['wftmpl']],
      ['clusterworkflowtemplates', 'Cluster', ['clusterwftmpl', 'cwft']],
    ],
  );
});
