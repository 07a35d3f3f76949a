import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { artifactWorkflows, orders, orderUidLabel, retryAnnotation } from '@arc/api/arc';
import type { ArtifactWorkflow, Order, OrderStatus } from '@arc/api/arc';
import { workflows } from '@arc/api/argo';
import type { Workflow } from '@arc/api/argo';
import { eventually } from '@arc/testkit';
import { startTestServer } from '../testing/test-server.ts';
import type { TestServer } from '../testing/test-server.ts';

let server: TestServer;
before(async () => void (server = await startTestServer()));
after(() => server[Symbol.asyncDispose]());

const namespace = 'default';

async function createOrder(name: string, status: OrderStatus): Promise<Order> {
  const artifacts = ['demo/app:v1', 'demo/tools:v2'].map((image) => ({ type: 'oci', spec: { image } }));
  const spec = { defaults: { srcRef: { name: 'src' }, dstRef: { name: 'dst' } }, artifacts };
  const metadata = { name, namespace };
  const order = await server.client.create<Order>(orders, { apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'Order', metadata, spec });
  return await server.client.updateStatus<Order>(orders, { ...order, status });
}

async function statusOf(name: string, status: OrderStatus): Promise<void> {
  const order = await server.client.get<Order>(orders, { namespace, name });
  await server.client.updateStatus(orders, { ...order, status });
}

const succeeded = { artifactIndex: 0, name: 'done', phase: 'Succeeded', completionTime: '2026-01-01T00:00:00Z' };
const failed = { artifactIndex: 1, name: 'bad', phase: 'Failed', failureTime: '2026-01-01T00:00:01Z', message: 'no such image' };

test('what has failed is tried again, and waiting is for the new attempt', async () => {
  await createOrder('retried', { phase: 'Failed', artifactWorkflows: { a: succeeded, b: failed } });
  const running = server.arcctl(['order', 'retry', 'retried', '--wait']);
  const asked = await eventually(
    async () => (await server.client.get<Order>(orders, { namespace, name: 'retried' })).metadata.annotations?.[retryAnnotation],
    { what: 'the annotation' },
  );
  // As the controllers do: the retry is recorded while the status is still that of the attempt before.
  await statusOf('retried', { phase: 'Failed', lastRetry: asked, artifactWorkflows: { a: succeeded, b: failed } });
  await statusOf('retried', {
    phase: 'Succeeded',
    lastRetry: asked,
    artifactWorkflows: { a: succeeded, b: { ...succeeded, artifactIndex: 1 } },
  });
  const { code, stdout, stderr } = await running;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^order\.arc\.opendefense\.cloud\/retried: 1 artifact is tried again\norder default\/retried: Succeeded, 2 of 2/);
});

test('where nothing failed, nothing is asked for', async () => {
  await createOrder('fine', { phase: 'Succeeded', artifactWorkflows: { a: succeeded } });
  const { code, stdout } = await server.arcctl(['order', 'retry', 'fine']);
  assert.equal(code, 0);
  assert.match(stdout, /fine has nothing that failed\n$/);
  assert.equal((await server.client.get(orders, { namespace, name: 'fine' })).metadata.annotations, undefined);
  assert.equal((await server.arcctl(['order', 'retry', 'missing'])).code, 3);
  assert.equal((await server.arcctl(['order', 'retry', 'fine', '--timeout', '1s'])).code, 2);
});

test('an Order is suspended and resumed', async () => {
  await createOrder('held', { counts: { total: 2, succeeded: 0, failed: 0, running: 1, pending: 1, blocked: 0 } });
  const suspended = async (): Promise<unknown> => (await server.client.get<Order>(orders, { namespace, name: 'held' })).spec?.suspend;
  assert.match(
    (await server.arcctl(['order', 'suspend', 'held'])).stdout,
    /held suspended; 1 still running, arcctl order cancel ends them\n/,
  );
  assert.equal(await suspended(), true);
  assert.match((await server.arcctl(['order', 'resume', 'held'])).stdout, /held resumed\n/);
  assert.equal(await suspended(), undefined);
});

test('cancelling suspends the Order and ends the workflows that run for it, and no others', async () => {
  const order = await createOrder('ended', {});
  const workflow = (name: string, uid: string | undefined, finishedAt?: string): Workflow =>
    ({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Workflow',
      metadata: { name, namespace, labels: { [orderUidLabel]: uid ?? '' } },
      spec: { entrypoint: 'main', templates: [{ name: 'main', container: { image: 'x' } }] },
      ...(finishedAt !== undefined && { status: { finishedAt } }),
    }) as Workflow;
  await server.client.create(workflows, workflow('runs', order.metadata.uid));
  await server.client.create(workflows, workflow('over', order.metadata.uid, '2026-01-01T00:00:00Z'));
  await server.client.create(workflows, workflow('other', 'of-another'));
  assert.match((await server.arcctl(['order', 'cancel', 'ended'])).stdout, /ended suspended, 1 workflow ended\n/);
  const { items } = await server.client.list<Workflow>(workflows, { namespace });
  const shutdown = (item: Workflow): unknown => (item.spec as { readonly shutdown?: string } | undefined)?.shutdown;
  assert.deepEqual(Object.fromEntries(items.map((item) => [item.metadata.name, shutdown(item)])), {
    runs: 'Terminate',
    over: undefined,
    other: undefined,
  });
  assert.equal((await server.client.get<Order>(orders, { namespace, name: 'ended' })).spec?.suspend, true);
});

async function createRun(name: string, status: ArtifactWorkflow['status'], uid = 'x'): Promise<void> {
  const metadata = { name, namespace, labels: { [orderUidLabel]: uid } };
  const run: ArtifactWorkflow = {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata,
    spec: { workflowTemplateRef: { name: 't' }, type: 'oci' },
  };
  const created = await server.client.create(artifactWorkflows, run);
  if (status !== undefined) await server.client.updateStatus(artifactWorkflows, { ...created, status });
}

test('the tree shows artifacts, runs and steps', async () => {
  const order = await createOrder('tree', { phase: 'Failed', message: '1 of 2 failed', artifactWorkflows: { b: failed, a: succeeded } });
  const step = { name: 'transfer', phase: 'Succeeded', startTime: '2026-01-01T00:00:00Z', completionTime: '2026-01-01T00:00:05Z' };
  await createRun('done', { phase: 'Succeeded', steps: [step, { name: 'verify', phase: 'Succeeded' }] }, order.metadata.uid);
  const { stdout } = await server.arcctl(['order', 'tree', 'tree']);
  assert.equal(
    stdout,
    [
      'order/tree  Failed  1 of 2 failed',
      '├─ demo/app:v1  Succeeded  aw/done',
      '│  ├─ transfer  Succeeded  5s',
      '│  └─ verify  Succeeded',
      '└─ demo/tools:v2  Failed  no such image',
      '',
    ].join('\n'),
  );
});

test('the queue is what waits for its turn, in order', async () => {
  assert.match((await server.arcctl(['queue'])).stderr, /^Nothing waits for its turn\.\n$/);
  await createRun('second', { phase: 'Pending', reason: 'Queued', message: 'waits for its turn: ARC is full', queuePosition: 2 });
  await createRun('first', { phase: 'Active', reason: 'Queued', message: 'waits for its turn: ARC is full', queuePosition: 1 });
  await createRun('blocked', { phase: 'Pending', reason: 'MissingEndpoint' });
  const { stdout } = await server.arcctl(['queue']);
  assert.match(stdout, /^POSITION +NAMESPACE +NAME +TYPE +AGE +WHY\n1 +default +first +oci .*full\n2 +default +second .*\n$/);
  const json = JSON.parse((await server.arcctl(['queue', '-A', '-o', 'json'])).stdout) as readonly { readonly name: string }[];
  assert.deepEqual(
    json.map(({ name }) => name),
    ['first', 'second'],
  );
});

test('lists and logs of one kind are those of get and logs', async () => {
  assert.equal(
    (await server.arcctl(['order', 'list', '-o', 'name'])).stdout,
    (await server.arcctl(['get', 'orders', '-o', 'name'])).stdout,
  );
  assert.equal(
    (await server.arcctl(['order', 'get', 'tree', '-o', 'yaml'])).stdout,
    (await server.arcctl(['get', 'order', 'tree', '-o', 'yaml'])).stdout,
  );
  assert.match((await server.arcctl(['endpoint', 'list'])).stderr, /No resources found/);
  assert.equal((await server.arcctl(['order', 'logs', 'missing'])).code, 3);
});
