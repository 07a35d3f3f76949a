import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { artifactWorkflows, clusterArtifactTypes, orders } from '@arc/api/arc';
import type { ArtifactWorkflow, ArtifactWorkflowStatus, ClusterArtifactType, Order } from '@arc/api/arc';
import { cronWorkflows, workflows } from '@arc/api/argo';
import type { Workflow } from '@arc/api/argo';
import { configMaps, events, namespaces, pods } from '@arc/api/core';
import type { ConfigMap, CoreEvent, Pod } from '@arc/api/core';
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
    return scripts.get(workflow.slice(0, workflow.indexOf('-')))?.(step, pod);
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

  const order = async (name: string, what: PodScript, spec: object = {}): Promise<void> => {
    scripts.set(name, what);
    const wish = ociOrder(name, [{ image: 'app:v1' }], namespace);
    await world.client.create(orders, { ...wish, spec: { ...wish.spec, ...spec } } as Order);
  };
  const runOf = async (name: string): Promise<ArtifactWorkflow | undefined> => {
    const { items } = await world.client.list<ArtifactWorkflow>(artifactWorkflows, { namespace });
    return items.find(({ metadata }) => metadata.ownerReferences?.[0]?.name === name);
  };
  /** Waits until the run of an Order is as it should be, and returns it. */
  const run = async (name: string, what: string, holds: (status: ArtifactWorkflowStatus) => boolean): Promise<ArtifactWorkflow> =>
    await eventually(
      async () => {
        const found = await runOf(name);
        return found?.status !== undefined && holds(found.status) && found;
      },
      { what: `run of ${name}: ${what}` },
    );
  const workflowOf = async (name: string): Promise<Workflow | undefined> => {
    const { items } = await world.client.list<Workflow>(workflows, { namespace });
    return items.find(({ metadata }) => metadata.name?.startsWith(`${name}-`));
  };
  const podsOf = async (name: string): Promise<readonly Pod[]> =>
    (await world.client.list<Pod>(pods, { namespace })).items.filter(({ metadata }) => metadata.name?.startsWith(`${name}-`));

  test('an Order is delivered, and its run says what happened', async () => {
    await order('delivered', delivered);
    const { status } = await finishedOrder(world.client, 'delivered', namespace);
    assert.equal(status?.phase, 'Succeeded');
    assert.equal(status?.message, '1 of 1 artifacts transferred');
    const { status: told } = (await runOf('delivered')) ?? {};
    assert.ok(told !== undefined);
    const { phase, progress, succeeded, steps = [], receipt: brought, startTime = '', completionTime = '' } = told;
    assert.deepEqual({ phase, progress, succeeded, brought }, { phase: 'Succeeded', progress: '2/2', succeeded: 1, brought: receipt });
    assert.deepEqual(
      steps.map(({ name, phase }) => `${name} ${phase}`),
      ['transfer Succeeded', 'verify Succeeded'],
    );
    assert.ok(startTime !== '' && startTime <= completionTime);
    const workflow = await world.client.get<Workflow>(workflows, { namespace, name: told.activeWorkflowRef?.name ?? '' });
    assert.equal(workflow.metadata.labels?.['workflows.argoproj.io/completed'], 'true', 'it was Argo');
  });

  test('a failure says which step failed and why, with the end of its log; a retry delivers', async () => {
    const log = 'copying app:v1\nerror: manifest unknown: app:v1\n';
    await order('failing', (step) => (step === 'transfer' ? { exitCode: 4, log } : { exitCode: 0 }));
    const failed = await finishedOrder(world.client, 'failing', namespace);
    assert.equal(failed.status?.phase, 'Failed');
    const { status } = (await runOf('failing')) ?? {};
    assert.equal(status?.phase, 'Failed');
    assert.equal(status?.reason, 'WorkflowFailed');
    assert.equal(status?.message, "Step 'transfer' failed: manifest unknown: app:v1\nmain: Error (exit code 4)");
    assert.equal(status?.logTail, log.trimEnd());
    assert.deepEqual(
      status?.steps?.map(({ name, phase }) => `${name} ${phase}`),
      ['transfer Failed'],
    );
    scripts.set('failing', delivered);
    await world.client.patch(
      orders,
      { namespace, name: 'failing' },
      { metadata: { annotations: { 'arc.opendefense.cloud/retry': 'once' } } },
    );
    await run('failing', 'success', ({ phase }) => phase === 'Succeeded');
    assert.equal((await finishedOrder(world.client, 'failing', namespace)).status?.phase, 'Succeeded');
  });

  test('a Workflow somebody deletes is no success: it is reported and started again', async () => {
    let held = true;
    await order('vanishing', (step) => (held ? undefined : delivered(step)));
    await run('vanishing', 'to be under way', ({ phase }) => phase === 'Running');
    const before = await workflowOf('vanishing');
    await world.client.delete(workflows, { namespace, name: before?.metadata.name ?? '' });
    const again = await eventually(
      async () => {
        const now = await workflowOf('vanishing');
        return now?.metadata.uid !== before?.metadata.uid && now;
      },
      { what: 'another Workflow' },
    );
    assert.equal(again.metadata.name, before?.metadata.name);
    const { items } = await world.client.list<CoreEvent>(events, { namespace });
    assert.ok(items.some(({ reason, involvedObject }) => reason === 'WorkflowVanished' && involvedObject?.name === again.metadata.name));
    held = false;
    assert.equal((await finishedOrder(world.client, 'vanishing', namespace)).status?.phase, 'Succeeded');
  });

  test('a run that has ended stays what it was when its Workflow is removed', async () => {
    await order('removed', delivered);
    await finishedOrder(world.client, 'removed', namespace);
    // As a time to live of Argo does.
    await world.client.patch(
      workflows,
      { namespace, name: (await workflowOf('removed'))?.metadata.name ?? '' },
      {
        spec: { ttlStrategy: { secondsAfterCompletion: 0 } },
      },
    );
    await eventually(async () => (await workflowOf('removed')) === undefined, { what: 'the Workflow to go' });
    assert.equal((await podsOf('removed')).length, 0);
    const after = await runOf('removed');
    assert.equal(after?.status?.phase, 'Succeeded');
    assert.equal(after?.status?.receipt, receipt);
    assert.equal((await world.client.get<Order>(orders, { namespace, name: 'removed' })).status?.phase, 'Succeeded');
  });

  test('nothing starts while an Order is suspended; deleted with its Workflow under way, it waits until all is gone', async () => {
    await order('suspended', () => undefined, { suspend: true });
    await eventually(
      async () =>
        Object.values((await world.client.get<Order>(orders, { namespace, name: 'suspended' })).status?.artifactWorkflows ?? {})[0]
          ?.reason === 'Suspended',
      { what: 'it to say that it is suspended' },
    );
    assert.equal(await workflowOf('suspended'), undefined);
    await world.client.patch(orders, { namespace, name: 'suspended' }, { spec: { suspend: false } });
    await run('suspended', 'to be under way', ({ phase }) => phase === 'Running');
    await eventually(async () => (await podsOf('suspended'))[0]?.status?.phase === 'Running', { what: 'its pod to run' });
    await world.client.delete(orders, { namespace, name: 'suspended' });
    await eventually(
      async () => !(await world.client.list<Order>(orders, { namespace })).items.some(({ metadata }) => metadata.name === 'suspended'),
      {
        what: 'the Order to go',
      },
    );
    assert.equal(await workflowOf('suspended'), undefined);
    await eventually(async () => (await podsOf('suspended')).length === 0, { what: 'its pod to go' });
  });

  test('what is stopped in Argo has failed, and says so', async () => {
    await order('stopped', () => undefined);
    await run('stopped', 'to be under way', ({ phase }) => phase === 'Running');
    await world.client.patch(
      workflows,
      { namespace, name: (await workflowOf('stopped'))?.metadata.name ?? '' },
      { spec: { shutdown: 'Terminate' } },
    );
    const { status } = await run('stopped', 'the end', ({ phase }) => phase === 'Failed');
    assert.match(status?.message ?? '', /Stopped with strategy 'Terminate'|workflow shutdown with strategy:? +Terminate/);
  });

  test('a template that does not exist is what Argo says of it', async () => {
    await world.client.create(clusterArtifactTypes, {
      ...{ apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'ClusterArtifactType', metadata: { name: 'without-template' } },
      spec: { workflowTemplateRef: { name: 'nowhere', clusterScope: true } },
    } as ClusterArtifactType);
    await order('astray', delivered, { artifacts: [{ type: 'without-template', spec: {} }] });
    const { status } = await run('astray', 'the end', ({ phase }) => phase === 'Error' || phase === 'Failed');
    assert.match(status?.message ?? '', /nowhere/);
  });

  test('a controller of Argo that dies and comes back goes on where it was', async () => {
    let held = true;
    await order('surviving', (step) => (held && step === 'verify' ? undefined : delivered(step)));
    await run('surviving', 'its first step', ({ progress }) => progress === '1/2');
    await argo.kill();
    held = false;
    await argo.start();
    const { status } = await finishedOrder(world.client, 'surviving', namespace);
    assert.equal(status?.phase, 'Succeeded');
    assert.equal((await podsOf('surviving')).length, 2, 'no step twice');
  });

  test('a schedule runs again and again', async () => {
    const cron = { schedules: ['@every 2s'], concurrencyPolicy: 'Forbid' };
    await order('scheduled', delivered, { defaults: { srcRef: { name: 'src' }, dstRef: { name: 'dst' }, cron } });
    const { status } = await run('scheduled', 'two runs', ({ succeeded = 0 }) => succeeded >= 2);
    assert.equal(status?.phase, 'Active');
    assert.equal(status?.receipt, receipt);
    assert.ok((status?.nextScheduled ?? '') > (status?.lastScheduled ?? '~'));
    await world.client.delete(orders, { namespace, name: 'scheduled' });
    await eventually(async () => (await runOf('scheduled')) === undefined, { what: 'the schedule to end' });
    assert.deepEqual((await world.client.list(cronWorkflows, { namespace })).items, []);
  });
});

/** Every step leaves a receipt: that of the last one counts. */
function delivered(step: string): PodResult {
  return { exitCode: 0, outputs: { 'arc-receipt': step === 'verify' ? receipt : '{}' } };
}
