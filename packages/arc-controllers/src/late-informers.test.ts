import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { arcKinds, artifactWorkflows, orders, orderUidLabel } from '@arc/api/arc';
import { argoKinds, workflows } from '@arc/api/argo';
import { FakeClock, silentLogger } from '@arc/kernel';
import { createFakeClient } from '@arc/kube-client/fake';
import type { FakeClient } from '@arc/kube-client/fake';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frozenInformer } from '../test/stale.ts';
import type { RunContext } from './artifact-workflow/context.ts';
import { artifactWorkflowReconciler } from './artifact-workflow/reconciler.ts';
import { Admission } from './admission/admission.ts';
import { workflowRecord } from './informers/workflow-record.ts';
import type { WorkflowRecord } from './informers/workflow-record.ts';
import type { OrderContext } from './order/context.ts';
import { orderReconciler } from './order/reconciler.ts';

const { signal } = new AbortController();
const namespace = 'team';
const api = { apiVersion: 'arc.opendefense.cloud/v1alpha1' } as const;
const request = { namespace, name: 'r' };

function server(): FakeClient {
  return createFakeClient({ clock: new FakeClock(), kinds: [...arcKinds, ...argoKinds] });
}

function storedRun(client: FakeClient, status?: ArtifactWorkflow['status']): ArtifactWorkflow {
  const run: ArtifactWorkflow = {
    ...api,
    kind: 'ArtifactWorkflow',
    metadata: { ...request, finalizers: ['arc.opendefense.cloud/artifact-workflow-finalizer'] },
    spec: { workflowTemplateRef: { name: 't' } },
    ...(status !== undefined && { status }),
  };
  return client.put(artifactWorkflows, run) as ArtifactWorkflow;
}

function contextOf(client: FakeClient, runs: readonly ArtifactWorkflow[], seen: readonly WorkflowRecord[] = []): RunContext {
  return {
    client,
    clock: new FakeClock(),
    logger: silentLogger,
    events: { event: () => {} },
    digestKey: Buffer.alloc(16),
    admission: new Admission({ maxActive: 8, clock: new FakeClock(), wake: () => {} }),
    handOver: {},
    progressIntervalMs: 0,
    startIntervalMs: 0,
    orders: frozenInformer<Order>([]),
    artifactWorkflows: frozenInformer(runs),
    workflows: frozenInformer(seen),
    cronWorkflows: frozenInformer([]),
    endpoints: frozenInformer([]),
    secrets: frozenInformer([]),
    artifactTypes: frozenInformer([]),
    clusterArtifactTypes: frozenInformer([]),
    namespaces: frozenInformer([]),
  };
}

function creations(client: FakeClient): number {
  return client.requests.filter(({ verb }) => verb === 'create').length;
}

test('a run whose Workflow is gone is not started again when the server knows that it has ended', async () => {
  const client = server();
  const late = storedRun(client, { phase: 'Running', activeWorkflowRef: { name: 'r' } });
  client.put(artifactWorkflows, { ...late, status: { phase: 'Succeeded', activeWorkflowRef: { name: 'r' } } } as ArtifactWorkflow);
  await artifactWorkflowReconciler(contextOf(client, [late]))(request, signal);
  assert.equal(creations(client), 0);
  assert.equal(client.peek<ArtifactWorkflow>(artifactWorkflows, request)?.status?.phase, 'Succeeded');
});

test('a run that this process started is not started again though the informer shows it as never started', async () => {
  const client = server();
  const late = storedRun(client);
  const reconcile = artifactWorkflowReconciler(contextOf(client, [late]));
  await reconcile(request, signal);
  assert.equal(creations(client), 1);
  await client.delete(workflows, request);
  client.put(artifactWorkflows, { ...late, status: { phase: 'Succeeded' } } as ArtifactWorkflow);
  await reconcile(request, signal);
  assert.equal(creations(client), 1);
});

test('a Workflow the informer does not know yet is found on the server', async () => {
  const client = server();
  const late = storedRun(client);
  const reconcile = artifactWorkflowReconciler(contextOf(client, [late]));
  await reconcile(request, signal);
  await reconcile(request, signal);
  assert.equal(creations(client), 1);
});

test('a Workflow of a former run of the same name is not mistaken for its own', async () => {
  const client = server();
  const run = storedRun(client);
  const former = client.put(workflows, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    metadata: { ...request, ownerReferences: [{ ...api, kind: 'ArtifactWorkflow', name: 'r', uid: 'former', controller: true }] },
    status: { phase: 'Succeeded' },
  } as never);
  await artifactWorkflowReconciler(contextOf(client, [run], [workflowRecord(former as never)]))(request, signal);
  assert.equal(client.peek<ArtifactWorkflow>(artifactWorkflows, request)?.status?.reason, 'NameTaken');
});

test('a delivery that nobody has written down is written down before a deleted run goes', async () => {
  const client = server();
  const ownerReferences = [{ ...api, kind: 'Order', name: 'o', uid: 'o', controller: true }];
  const run = storedRun(client, { phase: 'Running', activeWorkflowRef: { name: 'r' } });
  const owned = client.put(artifactWorkflows, { ...run, metadata: { ...run.metadata, ownerReferences } } as ArtifactWorkflow);
  client.put(workflows, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    metadata: {
      ...request,
      ownerReferences: [{ ...api, kind: 'ArtifactWorkflow', name: 'r', uid: owned.metadata.uid ?? '', controller: true }],
    },
    status: { phase: 'Succeeded', finishedAt: '2026-01-01T00:10:00Z' },
  } as never);
  await client.delete(artifactWorkflows, request);
  const look = async (): Promise<void> => {
    const shown = client.peek<ArtifactWorkflow>(artifactWorkflows, request);
    const order: Order = { ...api, kind: 'Order', metadata: { namespace, name: 'o', uid: 'o' } };
    const context = { ...contextOf(client, shown === undefined ? [] : [shown]), orders: frozenInformer([order]) };
    await artifactWorkflowReconciler(context)(request, signal);
  };
  for (let time = 0; time < 3; time++) await look();
  const { status } = client.peek<ArtifactWorkflow>(artifactWorkflows, request) ?? {};
  assert.deepEqual(
    [status?.phase, status?.completionTime],
    ['Succeeded', '2026-01-01T00:10:00Z'],
    'it is held until its Order says so, too',
  );
});

test('a Workflow that delivers in the moment it is to be deleted is not deleted', async () => {
  const client = server();
  const run = storedRun(client, { phase: 'Running', activeWorkflowRef: { name: 'r' } });
  const workflow = client.put(workflows, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    metadata: {
      ...request,
      ownerReferences: [{ ...api, kind: 'ArtifactWorkflow', name: 'r', uid: run.metadata.uid ?? '', controller: true }],
    },
    status: { phase: 'Running' },
  } as never);
  await client.delete(artifactWorkflows, request);
  const shown = client.peek<ArtifactWorkflow>(artifactWorkflows, request);
  assert.ok(shown);
  {
    using _delivers = client.onRequest(({ verb, type }) => {
      if (verb === 'delete' && type?.plural === 'workflows')
        client.put(workflows, { ...workflow, status: { phase: 'Succeeded' } } as never);
    });
    await artifactWorkflowReconciler(contextOf(client, [shown]))(request, signal);
  }
  assert.equal(client.peek(workflows, request)?.metadata.deletionTimestamp, undefined);
  await artifactWorkflowReconciler(contextOf(client, [shown]))(request, signal);
  assert.equal(client.peek<ArtifactWorkflow>(artifactWorkflows, request)?.status?.phase, 'Succeeded');
});

test('an Order is not let go while the server has a run its informer does not know', async () => {
  const client = server();
  client.put(orders, { ...api, kind: 'Order', metadata: { ...request, finalizers: ['arc.opendefense.cloud/order-finalizer'] } });
  await client.delete(orders, request);
  const order = client.peek<Order>(orders, request);
  assert.ok(order);
  const { uid = '' } = order.metadata;
  const run: ArtifactWorkflow = {
    ...api,
    kind: 'ArtifactWorkflow',
    metadata: {
      namespace,
      name: 'r-1',
      labels: { [orderUidLabel]: uid },
      ownerReferences: [{ ...api, kind: 'Order', name: 'r', uid, controller: true }],
    },
  };
  client.put(artifactWorkflows, run);
  await orderReconciler(orderContext(client, order))(request, signal);
  const held = client.peek<Order>(orders, request);
  assert.equal(held?.status?.message, 'waiting for the runs of the Order to end');
  await client.delete(artifactWorkflows, { namespace, name: 'r-1' });
  await orderReconciler(orderContext(client, held))(request, signal);
  assert.equal(client.peek(orders, request), undefined);
});

function orderContext(client: FakeClient, order: Order): OrderContext {
  return {
    client,
    clock: new FakeClock(),
    logger: silentLogger,
    events: { event: () => {} },
    digestKey: Buffer.alloc(16),
    statusIntervalMs: 0,
    runDelayMs: 0,
    orders: frozenInformer([order]),
    artifactWorkflows: frozenInformer<ArtifactWorkflow>([]),
    endpoints: frozenInformer([]),
    secrets: frozenInformer([]),
    artifactTypes: frozenInformer([]),
    clusterArtifactTypes: frozenInformer([]),
  };
}
