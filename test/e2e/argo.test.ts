import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { artifactWorkflows, orders } from '@arc/api/arc';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { workflows } from '@arc/api/argo';
import type { Workflow } from '@arc/api/argo';
import { configMaps, namespaces } from '@arc/api/core';
import type { ConfigMap } from '@arc/api/core';
import { argoDefinitions, eventually, missingArgo, missingArgoDefinitions, startWorkflowController } from '@arc/testkit';
import type { WorkflowController } from '@arc/testkit';
import { controllerKinds } from './support/argo-kinds.ts';
import { namespace, startArgoWorld } from './support/argo-world.ts';
import type { ArgoWorld } from './support/argo-world.ts';
import { createFakeKubelet } from './support/fake-kubelet.ts';
import type { PodResult, PodScript } from './support/fake-kubelet.ts';
import { createEndpoints, finishedOrder, installOciType, ociOrder } from './support/world.ts';

const missing = missingArgo('workflow-controller') ?? missingArgoDefinitions() ?? false;
const receipt = '{"digest":"sha256:1"}';

describe('with a real workflow-controller of Argo', { skip: missing }, () => {
  let world: ArgoWorld;
  let argo: WorkflowController;
  /** What the pods of a Workflow do, by the name of the Order. */
  const scripts = new Map<string, PodScript>();
  const script: PodScript = (step, pod) => {
    const workflow = pod.metadata.labels?.['workflows.argoproj.io/workflow'] ?? '';
    const [, found] = [...scripts].find(([order]) => workflow.startsWith(`${order}-`)) ?? [];
    return found?.(step, pod);
  };

  before(async () => {
    const definitions = argoDefinitions().at(-1);
    assert.ok(definitions !== undefined);
    world = await startArgoWorld({ kinds: await controllerKinds(definitions), kubelet: createFakeKubelet(script) });
    const { client } = world;
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argo' } });
    const config: ConfigMap = {
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'workflow-controller-configmap', namespace: 'argo' } },
      data: { metricsConfig: 'enabled: false\n' },
    };
    await client.create(configMaps, config);
    argo = await startWorkflowController(world.kubeconfig, { namespace: 'argo' });
    await installOciType(client);
    await createEndpoints(client, 'https://src.example.com', 'https://dst.example.com', namespace);
  });
  after(async () => {
    await argo[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const order = async (name: string, what: PodScript): Promise<void> => {
    scripts.set(name, what);
    await world.client.create(orders, ociOrder(name, [{ image: 'app:v1' }], namespace));
  };
  const runOf = async (name: string): Promise<ArtifactWorkflow | undefined> => {
    const { items } = await world.client.list<ArtifactWorkflow>(artifactWorkflows, { namespace });
    return items.find(({ metadata }) => metadata.ownerReferences?.[0]?.name === name);
  };

  test('an Order is delivered, and its run says what happened', async () => {
    await order('delivered', delivered);
    const { status } = await finishedOrder(world.client, 'delivered', namespace);
    assert.equal(status?.phase, 'Succeeded');
    assert.equal(status?.message, '1 of 1 artifacts transferred');
    const run = await runOf('delivered');
    assert.ok(run?.status !== undefined);
    const { phase, progress, succeeded, steps = [], receipt: brought, startTime = '', completionTime = '' } = run.status;
    assert.deepEqual({ phase, progress, succeeded, brought }, { phase: 'Succeeded', progress: '2/2', succeeded: 1, brought: receipt });
    assert.deepEqual(
      steps.map(({ name, phase }) => `${name} ${phase}`),
      ['transfer Succeeded', 'verify Succeeded'],
    );
    assert.ok(startTime !== '' && startTime <= completionTime);
    const workflow = await world.client.get<Workflow>(workflows, { namespace, name: run.status.activeWorkflowRef?.name ?? '' });
    assert.equal(workflow.metadata.labels?.['workflows.argoproj.io/completed'], 'true', 'it was Argo');
  });

  test('a run of a schedule, which begins suspended, runs when it is its turn', async () => {
    scripts.set('scheduled', delivered);
    const wish = ociOrder('scheduled', [{ image: 'app:v1' }], namespace);
    const cron = { schedules: ['@every 1s'], concurrencyPolicy: 'Forbid' };
    await world.client.create(orders, { ...wish, spec: { ...wish.spec, defaults: { ...wish.spec?.defaults, cron } } });
    const status = await eventually(
      async () => {
        const { status } = (await runOf('scheduled')) ?? {};
        return (status?.succeeded ?? 0) > 1 && status;
      },
      { what: 'two runs of a schedule' },
    );
    assert.deepEqual([status.phase, status.failed, status.receipt], ['Active', 0, receipt]);
    await world.client.delete(orders, { namespace, name: 'scheduled' });
  });
});

/** Every step leaves a receipt: that of the last one counts. */
function delivered(step: string): PodResult {
  return { exitCode: 0, outputs: { 'arc-receipt': step === 'verify' ? receipt : '{}' } };
}
