import assert from 'node:assert/strict';
import { test } from 'node:test';
import { artifactWorkflows, clusterArtifactTypes, endpoints } from '@arc/api/arc';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { clusterWorkflowTemplates } from '@arc/api/argo';
import { secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import type { KubeObject } from '@arc/apimachinery';
import { eventually } from '@arc/testkit';
import { endpoint, startWorld } from './support/world.ts';

const template = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ClusterWorkflowTemplate',
  metadata: { name: 'show' },
  spec: {
    entrypoint: 'show',
    arguments: { parameters: [{ name: 'specImage', value: '' }] },
    templates: [
      {
        name: 'show',
        script: {
          image: 'busybox',
          command: ['sh'],
          source:
            'sed -n \'s/.*"remoteURL": "\\(.*\\)".*/\\1/p\' /config/config.json > /tmp/urls; echo {{workflow.parameters.specImage}} >> /tmp/urls',
          volumeMounts: [{ name: 'config-vol', mountPath: '/config', readOnly: true }],
        },
        outputs: { parameters: [{ name: 'arc-receipt', globalName: 'arc-receipt', valueFrom: { path: '/tmp/urls' } }] },
      },
    ],
  },
} as KubeObject;

test('a minimal ArtifactWorkflow is completed, gets its configuration mounted, and leaves no credentials behind', async () => {
  await using world = await startWorld();
  const { client } = world;
  await client.create(clusterWorkflowTemplates, template);
  await client.create(clusterArtifactTypes, {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ClusterArtifactType',
    metadata: { name: 'show' },
    spec: { workflowTemplateRef: { name: 'show' }, renderConfig: true },
  } as KubeObject);
  await client.create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'default', name: 'creds' },
    data: { password: Buffer.from('hunter2hunter2').toString('base64') },
  } as Secret);
  await client.create(endpoints, endpoint('src', 'https://src.example.com', { secretRef: { name: 'creds' } }));
  await client.create(artifactWorkflows, {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata: { namespace: 'default', name: 'by-hand' },
    spec: { type: 'show', srcRef: { name: 'src' }, dstRef: { name: 'dst' }, parameters: [{ name: 'specImage', value: 'app:v1' }] },
  });
  const ref = { namespace: 'default', name: 'by-hand' };
  const when = (phase: string): Promise<ArtifactWorkflow> =>
    eventually(
      async () => {
        const run = await client.get<ArtifactWorkflow>(artifactWorkflows, ref);
        return run.status?.phase === phase ? run : undefined;
      },
      { what: `the run to be ${phase}`, timeoutMs: 30_000 },
    );
  assert.equal((await when('Pending')).status?.reason, 'MissingEndpoint');
  await client.create(endpoints, endpoint('dst', 'https://dst.example.com'));
  const { status } = await when('Succeeded');
  assert.deepEqual(status?.receipt?.trim().split('\n'), ['https://src.example.com', 'https://dst.example.com', 'app:v1']);
  await eventually(async () => (await client.list(secrets, { namespace: 'default' })).items.length === 1, {
    what: 'the configuration to go',
  });
});
