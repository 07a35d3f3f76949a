import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { clusterArtifactTypes, orders } from '@arc/api/arc';
import type { ClusterArtifactType, Order } from '@arc/api/arc';
import { cronWorkflows, workflows } from '@arc/api/argo';
import type { Workflow } from '@arc/api/argo';
import { events, namespaces } from '@arc/api/core';
import type { CoreEvent } from '@arc/api/core';
import { eventually, missingArgo, missingArgoDefinitions } from '@arc/testkit';
import { startArgoScenario } from './support/argo-scenario.ts';
import type { ArgoScenario } from './support/argo-scenario.ts';
import { namespace } from './support/argo-world.ts';
import type { PodResult } from './support/fake-kubelet.ts';
import { createEndpoints, finishedOrder, installOciType } from './support/world.ts';

const missing = missingArgo('workflow-controller') ?? missingArgoDefinitions() ?? false;
const receipt = '{"digest":"sha256:1"}';

describe('with a real workflow-controller of Argo', { skip: missing }, () => {
  let scenario: ArgoScenario;
  before(async () => {
    scenario = await startArgoScenario();
    await installOciType(scenario.client);
    await createEndpoints(scenario.client, 'https://src.example.com', 'https://dst.example.com', namespace);
    const metadata = {
      labels: { 'kueue.x-k8s.io/queue-name': 'transfers' },
      annotations: { 'arc.opendefense.cloud/service-account': 'arc-workflow' },
    };
    await scenario.client.patch(namespaces, { name: namespace }, { metadata });
  });
  after(() => scenario[Symbol.asyncDispose]());

  test('an Order is delivered, and its run says what happened', async () => {
    await scenario.order('delivered', delivered);
    const { status } = await finishedOrder(scenario.client, 'delivered', namespace);
    assert.equal(status?.phase, 'Succeeded');
    assert.equal(status?.message, '1 of 1 artifacts transferred');
    const { status: told } = (await scenario.runOf('delivered')) ?? {};
    assert.ok(told !== undefined);
    const { phase, progress, succeeded, steps = [], receipt: brought, startTime = '', completionTime = '' } = told;
    assert.deepEqual({ phase, progress, succeeded, brought }, { phase: 'Succeeded', progress: '2/2', succeeded: 1, brought: receipt });
    assert.deepEqual(
      steps.map(({ name, phase }) => `${name} ${phase}`),
      ['transfer Succeeded', 'verify Succeeded'],
    );
    assert.ok(startTime !== '' && startTime <= completionTime);
    const workflow = await scenario.client.get<Workflow>(workflows, { namespace, name: told.activeWorkflowRef?.name ?? '' });
    assert.equal(workflow.metadata.labels?.['workflows.argoproj.io/completed'], 'true', 'it was Argo');
    for (const { metadata, spec } of await scenario.podsOf('delivered')) {
      assert.equal(metadata.labels?.['kueue.x-k8s.io/queue-name'], 'transfers');
      assert.equal(spec?.serviceAccountName, 'arc-workflow');
      const volumes = (spec?.volumes ?? []).map(({ name }) => name);
      assert.ok(volumes.includes('src-secret-vol') && volumes.includes('dst-secret-vol'), volumes.join());
    }
  });

  test('a failure says which step failed and why, with the end of its log; a retry delivers', async () => {
    const log = 'copying app:v1\nerror: manifest unknown: app:v1\n';
    await scenario.order('failing', (step) => (step === 'transfer' ? { exitCode: 4, log } : { exitCode: 0 }));
    const failed = await finishedOrder(scenario.client, 'failing', namespace);
    assert.equal(failed.status?.phase, 'Failed');
    const { status } = (await scenario.runOf('failing')) ?? {};
    assert.equal(status?.phase, 'Failed');
    assert.equal(status?.reason, 'WorkflowFailed');
    assert.equal(status?.message, "Step 'transfer' failed: manifest unknown: app:v1\nmain: Error (exit code 4)");
    assert.equal(status?.logTail, log.trimEnd());
    assert.deepEqual(
      status?.steps?.map(({ name, phase }) => `${name} ${phase}`),
      ['transfer Failed'],
    );
    scenario.rescript('failing', delivered);
    await scenario.client.patch(
      orders,
      { namespace, name: 'failing' },
      { metadata: { annotations: { 'arc.opendefense.cloud/retry': 'once' } } },
    );
    await eventually(async () => (await scenario.client.get<Order>(orders, { namespace, name: 'failing' })).status?.phase === 'Succeeded', {
      what: 'success',
    });
  });

  test('a Workflow somebody deletes is no success: it is reported and started again', async () => {
    let held = true;
    await scenario.order('vanishing', (step) => (held ? undefined : delivered(step)));
    await scenario.until('vanishing', 'to be under way', ({ phase }) => phase === 'Running');
    const before = await scenario.workflowOf('vanishing');
    await scenario.client.delete(workflows, { namespace, name: before?.metadata.name ?? '' });
    const again = await eventually(
      async () => {
        const now = await scenario.workflowOf('vanishing');
        return now?.metadata.uid !== before?.metadata.uid && now;
      },
      { what: 'another Workflow' },
    );
    assert.equal(again.metadata.name, before?.metadata.name);
    const { items } = await scenario.client.list<CoreEvent>(events, { namespace });
    assert.ok(items.some(({ reason, involvedObject }) => reason === 'WorkflowVanished' && involvedObject?.name === again.metadata.name));
    held = false;
    assert.equal((await finishedOrder(scenario.client, 'vanishing', namespace)).status?.phase, 'Succeeded');
  });

  test('a run that has ended stays what it was when its Workflow is removed', async () => {
    await scenario.order('removed', delivered);
    await finishedOrder(scenario.client, 'removed', namespace);
    // As a time to live of Argo does.
    await scenario.client.patch(
      workflows,
      { namespace, name: (await scenario.workflowOf('removed'))?.metadata.name ?? '' },
      {
        spec: { ttlStrategy: { secondsAfterCompletion: 0 } },
      },
    );
    await eventually(async () => (await scenario.workflowOf('removed')) === undefined, { what: 'the Workflow to go' });
    await eventually(async () => (await scenario.podsOf('removed')).length === 0, { what: 'its pods to go' });
    const after = await scenario.runOf('removed');
    assert.equal(after?.status?.phase, 'Succeeded');
    assert.equal(after?.status?.receipt, receipt);
    assert.equal((await scenario.client.get<Order>(orders, { namespace, name: 'removed' })).status?.phase, 'Succeeded');
  });

  test('nothing starts while an Order is suspended; deleted with its Workflow under way, it waits until all is gone', async () => {
    await scenario.order('suspended', () => undefined, { suspend: true });
    await eventually(
      async () =>
        Object.values((await scenario.client.get<Order>(orders, { namespace, name: 'suspended' })).status?.artifactWorkflows ?? {})[0]
          ?.reason === 'Suspended',
      { what: 'it to say that it is suspended' },
    );
    assert.equal(await scenario.workflowOf('suspended'), undefined);
    await scenario.client.patch(orders, { namespace, name: 'suspended' }, { spec: { suspend: false } });
    await scenario.until('suspended', 'to be under way', ({ phase }) => phase === 'Running');
    await eventually(async () => (await scenario.podsOf('suspended'))[0]?.status?.phase === 'Running', { what: 'its pod to run' });
    await scenario.client.delete(orders, { namespace, name: 'suspended' });
    await eventually(
      async () => !(await scenario.client.list<Order>(orders, { namespace })).items.some(({ metadata }) => metadata.name === 'suspended'),
      {
        what: 'the Order to go',
      },
    );
    assert.equal(await scenario.workflowOf('suspended'), undefined);
    await eventually(async () => (await scenario.podsOf('suspended')).length === 0, { what: 'its pod to go' });
  });

  test('what is stopped in Argo has failed, and says so', async () => {
    await scenario.order('stopped', () => undefined);
    await scenario.until('stopped', 'to be under way', ({ phase }) => phase === 'Running');
    await scenario.client.patch(
      workflows,
      { namespace, name: (await scenario.workflowOf('stopped'))?.metadata.name ?? '' },
      { spec: { shutdown: 'Terminate' } },
    );
    const status = await scenario.until('stopped', 'the end', ({ phase }) => phase === 'Failed');
    assert.match(status?.message ?? '', /Stopped with strategy 'Terminate'|workflow shutdown with strategy:? +Terminate/);
  });

  test('a template that does not exist is what Argo says of it', async () => {
    await scenario.client.create(clusterArtifactTypes, {
      ...{ apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'ClusterArtifactType', metadata: { name: 'without-template' } },
      spec: { workflowTemplateRef: { name: 'nowhere', clusterScope: true } },
    } as ClusterArtifactType);
    await scenario.order('astray', delivered, { artifacts: [{ type: 'without-template', spec: {} }] });
    const status = await scenario.until('astray', 'the end', ({ phase }) => phase === 'Error' || phase === 'Failed');
    assert.match(status?.message ?? '', /nowhere/);
  });

  test('a controller of Argo that dies and comes back goes on where it was', async () => {
    let held = true;
    await scenario.order('surviving', (step) => (held && step === 'verify' ? undefined : delivered(step)));
    await scenario.until('surviving', 'its first step', ({ progress }) => progress === '1/2');
    await scenario.argo.kill();
    held = false;
    await scenario.argo.start();
    const { status } = await finishedOrder(scenario.client, 'surviving', namespace);
    assert.equal(status?.phase, 'Succeeded');
    assert.equal((await scenario.podsOf('surviving')).length, 2, 'no step twice');
  });

  test('a schedule runs again and again', async () => {
    const cron = { schedules: ['@every 2s'], concurrencyPolicy: 'Forbid' };
    await scenario.order('scheduled', delivered, { defaults: { srcRef: { name: 'src' }, dstRef: { name: 'dst' }, cron } });
    const status = await scenario.until('scheduled', 'two runs', ({ succeeded = 0 }) => succeeded >= 2);
    assert.equal(status?.phase, 'Active');
    assert.equal(status?.receipt, receipt);
    assert.ok((status?.nextScheduled ?? '') > (status?.lastScheduled ?? '~'));
    await scenario.client.delete(orders, { namespace, name: 'scheduled' });
    await eventually(async () => (await scenario.runOf('scheduled')) === undefined, { what: 'the schedule to end' });
    assert.deepEqual((await scenario.client.list(cronWorkflows, { namespace })).items, []);
  });
});

/** Every step leaves a receipt: that of the last one counts. */
function delivered(step: string): PodResult {
  return { exitCode: 0, outputs: { 'arc-receipt': step === 'verify' ? receipt : '{}' } };
}
