import assert from 'node:assert/strict';
import { test } from 'node:test';
import { artifactWorkflows, type ArtifactWorkflow } from '@arc/api/arc';
import { workflowTemplates } from '@arc/api/argo';
import type { KubeObject } from '@arc/apimachinery';
import { eventually } from '@arc/testkit';
import { startWorld } from './support/world.ts';

test('of a step that writes too much the beginning and the end are kept, and its status stays small', async () => {
  await using world = await startWorld();
  const { client } = world;
  const source = 'echo first; seq 1000000 3000000; echo last; exit 3';
  await client.create(workflowTemplates, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'WorkflowTemplate',
    metadata: { namespace: 'default', name: 'chatty' },
    spec: { entrypoint: 'chatty', templates: [{ name: 'chatty', script: { image: 'busybox', command: ['sh'], source } }] },
  } as KubeObject);
  const ref = { namespace: 'default', name: 'chatty' };
  await client.create(artifactWorkflows, {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata: ref,
    spec: { workflowTemplateRef: { name: 'chatty', clusterScope: false } },
  });
  const run = await eventually(
    async () => {
      const found = await client.get<ArtifactWorkflow>(artifactWorkflows, ref);
      return found.status?.phase === 'Failed' && found.status.logTail !== undefined ? found : undefined;
    },
    { what: 'the failure', timeoutMs: 60_000 },
  );
  const tail = JSON.stringify(run.status?.logTail);
  assert.ok(tail.length < 20_000, `${tail.length} bytes`);

  assert.match(run.status?.logTail ?? '', /3000000\nlast$/);

  const { code, stdout } = await world.arcctl(['logs', 'artifactworkflow/chatty']);
  assert.equal(code, 0);
  assert.ok(stdout.length > 6 << 20 && stdout.length < 9 << 20, `${stdout.length} of 16 MB are kept`);
  assert.match(stdout.slice(0, 200), /first\n.*1000000\n.*1000001\n/);
  assert.match(stdout.slice(-200), /2999999\n.*3000000\n.*last\n$/);
});
