import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { artifactWorkflows, clusterArtifactTypes, endpoints } from '@arc/api/arc';
import type { ArtifactWorkflow, ClusterArtifactType } from '@arc/api/arc';
import { clusterWorkflowTemplates, workflows } from '@arc/api/argo';
import type { ClusterWorkflowTemplate, Workflow } from '@arc/api/argo';
import { namespaces, secrets } from '@arc/api/core';
import { eventually, findArgoProgram, missingArgo, missingArgoDefinitions, runCommand } from '@arc/testkit';
import { startArgoScenario } from './support/argo-scenario.ts';
import type { ArgoScenario } from './support/argo-scenario.ts';
import { namespace } from './support/argo-world.ts';
import { createEndpoints } from './support/world.ts';

const instanceId = 'zone-a';
const missing = missingArgo('workflow-controller', 'argo') ?? missingArgoDefinitions() ?? false;

/** A template that brings its volumes and the labels of its pods: its own parameters say which. */
const template: ClusterWorkflowTemplate = {
  ...{ apiVersion: 'argoproj.io/v1alpha1', kind: 'ClusterWorkflowTemplate', metadata: { name: 'hardened' } },
  spec: {
    entrypoint: 'main',
    arguments: {
      parameters: ['srcSecretName', 'dstSecretName', 'queueName', 'queuePriorityClass'].map((name) => ({ name, value: 'none' })),
    },
    volumes: [
      { name: 'src', secret: { secretName: '{{workflow.parameters.srcSecretName}}', optional: true } },
      { name: 'dst', secret: { secretName: '{{workflow.parameters.dstSecretName}}', optional: true } },
    ],
    podMetadata: {
      labels: {
        'kueue.x-k8s.io/queue-name': '{{workflow.parameters.queueName}}',
        'kueue.x-k8s.io/priority-class': '{{workflow.parameters.queuePriorityClass}}',
      },
    },
    podGC: { strategy: 'OnPodCompletion', deleteDelayDuration: '2s' },
    templates: [
      { name: 'main', steps: [['scan', 'copy'].map((name) => ({ name, template: 'step' }))] },
      {
        name: 'step',
        container: {
          image: 'worker',
          command: ['worker'],
          volumeMounts: [
            { name: 'src', mountPath: '/secrets/src' },
            { name: 'dst', mountPath: '/secrets/dst' },
          ],
        },
      },
    ],
  },
};

describe('with a hardened Argo of another instance that removes the pods of steps that have ended', { skip: missing }, () => {
  let scenario: ArgoScenario;
  before(async () => {
    scenario = await startArgoScenario({
      handOver: { volumesFrom: 'template', instanceId },
      config: { instanceID: instanceId, workflowRestrictions: 'templateReferencing: Strict\n' },
      args: ['--namespaced', '--managed-namespace', namespace],
    });
    const { client } = scenario;
    await createEndpoints(client, 'https://src.example.com', 'https://dst.example.com', namespace);
    await client.create(clusterWorkflowTemplates, template);
    await client.create(clusterArtifactTypes, {
      ...{ apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'ClusterArtifactType', metadata: { name: 'oci' } },
      spec: { workflowTemplateRef: { name: 'hardened' } },
    } as ClusterArtifactType);
    await client.create(secrets, {
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login', namespace } },
      data: { password: Buffer.from('hunter2hunter2').toString('base64') },
    });
    await client.patch(endpoints, { namespace, name: 'dst' }, { spec: { secretRef: { name: 'login' } } });
    await client.patch(namespaces, { name: namespace }, { metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'transfers' } } });
  });
  after(() => scenario[Symbol.asyncDispose]());

  const argo = async (...args: readonly string[]): Promise<string> => {
    const program = findArgoProgram('argo') ?? '';
    const result = await runCommand(program, [...args, '-n', namespace, '--kubeconfig', scenario.kubeconfig, '--instanceid', instanceId]);
    assert.equal(result.code, 0, result.stderr);
    return result.stdout;
  };

  test('it refuses Workflows that bring volumes, and takes those of ARC, whose pods get Secrets and queue', async () => {
    const bringing: Workflow = {
      ...{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Workflow' },
      metadata: { name: 'bringing', namespace, labels: { 'workflows.argoproj.io/controller-instanceid': instanceId } },
      spec: { workflowTemplateRef: { name: 'hardened', clusterScope: true }, volumes: [{ name: 'v', emptyDir: {} }] },
    };
    await scenario.client.create(workflows, bringing);
    const refused = await eventually(
      async () => (await scenario.client.get<Workflow>(workflows, { namespace, name: 'bringing' })).status?.message,
      { what: 'the refusal' },
    );
    assert.match(refused, /Volumes.* not permitted/);

    let held = true;
    await scenario.order('hardened', () => (held ? undefined : { exitCode: 0 }));
    const pod = await eventually(async () => (await scenario.podsOf('hardened'))[0], { what: 'a pod' });
    const volume = (name: string): unknown => (pod.spec?.volumes ?? []).find((found) => found.name === name)?.['secret' as 'name'];
    assert.deepEqual(volume('dst'), { secretName: 'login', optional: true });
    assert.match((volume('src') as unknown as { secretName: string }).secretName, /^hardened-[0-9a-f]{16}-none$/);
    assert.equal(pod.metadata.labels?.['kueue.x-k8s.io/queue-name'], 'transfers');
    assert.equal(pod.metadata.labels?.['kueue.x-k8s.io/priority-class'], '');
    held = false;
    await scenario.until('hardened', 'success', ({ phase }) => phase === 'Succeeded');
  });

  test('the argo command shows Workflows of ARC and stops them', async () => {
    await scenario.order('shown', () => undefined);
    await eventually(async () => (await scenario.podsOf('shown'))[0]?.status?.phase === 'Running', { what: 'a pod' });
    const name = (await scenario.workflowOf('shown'))?.metadata.name ?? '';
    assert.match(await argo('list'), new RegExp(`${name} +Running`));
    // Which of the two is first depends on whether they began in the same second.
    const shown = await argo('get', name);
    for (const step of ['copy', 'scan']) assert.match(shown, new RegExp(`─.*${step} +step +shown-`));
    await argo('stop', name, '--message', 'not today');
    const { message } = await scenario.until('shown', 'the end', ({ phase }) => phase === 'Failed');
    assert.match(message ?? '', /not today|Stop/);
  });

  test('what the argo command retries is followed again', async () => {
    let exitCode = 1;
    await scenario.order('again', () => ({ exitCode }));
    await scenario.until('again', 'the failure', ({ phase }) => phase === 'Failed');
    exitCode = 0;
    await argo('retry', (await scenario.workflowOf('again'))?.metadata.name ?? '');
    await scenario.until('again', 'success', ({ phase }) => phase === 'Succeeded');
    assert.equal((await scenario.workflowOf('again'))?.status?.phase, 'Succeeded');
  });

  test('the log of a step is kept though its pod is gone when the Workflow ends, without a word of its Secrets', async () => {
    let held = true;
    const log = 'error: login with hunter2hunter2 failed\n';
    await scenario.order('collected', (step) => (step === 'scan' ? { exitCode: 1, log } : held ? undefined : { exitCode: 0 }));
    const early = await scenario.until('collected', 'the log of what failed', ({ logTail }) => logTail !== undefined);
    assert.deepEqual([early.phase, early.logTail], ['Running', 'error: login with [redacted] failed']);
    await eventually(async () => (await scenario.podsOf('collected')).length === 1, { what: 'its pod to go' });
    held = false;
    const { logTail, message } = await scenario.until('collected', 'the end', ({ phase }) => phase === 'Failed');
    assert.equal(logTail, early.logTail);
    assert.match(message ?? '', /^Step 'scan' failed: login with \[redacted\] failed\n/);
  });

  test('a run in a namespace that it does not manage waits, and says nothing else', async () => {
    const where = { namespace: 'default', name: 'elsewhere' };
    const run: ArtifactWorkflow = {
      ...{ apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'ArtifactWorkflow', metadata: where },
      spec: { workflowTemplateRef: { name: 'hardened', clusterScope: true } },
    };
    await scenario.client.create(artifactWorkflows, run);
    const { status } = await eventually(
      async () => {
        const found = await scenario.client.get<ArtifactWorkflow>(artifactWorkflows, where);
        return found.status?.activeWorkflowRef !== undefined && found;
      },
      { what: 'its Workflow' },
    );
    assert.equal(status?.phase, 'Pending');
    assert.equal((await scenario.client.get<Workflow>(workflows, where)).status, undefined);
  });

  test('the longest name of an Order that is legal is one that Argo takes', async () => {
    const name = 'a'.repeat(253);
    await scenario.order(name, () => ({ exitCode: 0 }));
    const { activeWorkflowRef } = await scenario.until(name, 'success', ({ phase }) => phase === 'Succeeded');
    assert.equal(activeWorkflowRef?.name?.length, 63);
  });
});
