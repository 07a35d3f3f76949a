import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { artifactWorkflows, orders, orderUidLabel } from '@arc/api/arc';
import type { ArtifactWorkflow, Order, OrderStatus } from '@arc/api/arc';
import { eventually } from '@arc/testkit';
import { startTestServer } from '../testing/test-server.ts';
import type { TestServer } from '../testing/test-server.ts';
import { bytesOfReceipt } from './receipt-bytes.ts';

let server: TestServer;
before(async () => void (server = await startTestServer()));
after(() => server[Symbol.asyncDispose]());

const namespace = 'default';
const apiVersion = 'arc.opendefense.cloud/v1alpha1';

const file = (): Promise<string> =>
  server.file(
    'order.yaml',
    `apiVersion: v1
kind: ConfigMap
metadata: { name: beside }
---
apiVersion: ${apiVersion}
kind: Order
metadata: { name: demo, labels: { a: b } }
spec:
  suspend: true
  ttl: 720h
  defaults: { srcRef: { name: src }, dstRef: { name: dst } }
  artifacts:
    - { type: oci, spec: { image: "demo/app:v1" } }
    - { type: oci, spec: { image: "demo/tools:v2" } }
`,
  );

/** The Order that was placed for the plan. */
function trial(): Promise<Order> {
  return eventually(async () => (await server.client.list<Order>(orders, { namespace })).items[0], { what: 'the trial' });
}

async function setStatus(order: Order, status: OrderStatus): Promise<void> {
  await server.client.updateStatus(orders, { ...order, status });
}

const noRuns = { total: 2, succeeded: 0, failed: 0, running: 0, pending: 0, blocked: 0 };

test('a plan is a dry run under another name, told in bytes, and leaves nothing', async () => {
  const running = server.arcctl(['order', 'plan', '-f', await file()]);
  const order = await trial();
  assert.match(order.metadata.name ?? '', /^demo-plan-/);
  assert.deepEqual(order.metadata.labels, undefined);
  assert.deepEqual([order.spec?.dryRun, order.spec?.suspend, order.spec?.ttl], [true, false, '1h']);
  const run: ArtifactWorkflow = {
    apiVersion,
    kind: 'ArtifactWorkflow',
    metadata: { name: 'run', namespace, labels: { [orderUidLabel]: order.metadata.uid ?? '' } },
    spec: { workflowTemplateRef: { name: 't' } },
  };
  const created = await server.client.create(artifactWorkflows, run);
  await server.client.updateStatus(artifactWorkflows, { ...created, status: { receipt: '{"bytes":{"copied":2000000,"total":5000000}}' } });
  const artifactWorkflowsOf = {
    a: { artifactIndex: 0, name: 'run', phase: 'Succeeded' },
    b: { artifactIndex: 1, phase: 'Failed', reason: 'WorkflowFailed', message: 'there is no such image\nmore' },
  };
  await setStatus(order, { phase: 'Failed', counts: { ...noRuns, succeeded: 1, failed: 1 }, artifactWorkflows: artifactWorkflowsOf });
  const { code, stdout } = await running;
  assert.equal(code, 7);
  assert.match(
    stdout,
    /^ARTIFACT +TO COPY +THERE +RESULT\ndemo\/app:v1 +2\.00 MB +3\.00 MB +ok\ndemo\/tools:v2 +- +- +WorkflowFailed: there is no such image\n/,
  );
  assert.match(stdout, /order default\/demo: 1 of 2 artifacts can be transferred, 2\.00 MB to copy\. Nothing was written\.\n$/);
  assert.deepEqual((await server.client.list(orders, { namespace })).items, []);
});

test('what is missing is said at once, and an interruption leaves nothing either', async () => {
  const blocked = server.arcctl(['order', 'plan', '-f', await file()]);
  const reason = { phase: 'Pending', reason: 'MissingEndpoint', message: 'there is no src', blocked: true };
  await setStatus(await trial(), {
    phase: 'Pending',
    counts: { ...noRuns, blocked: 2 },
    artifactWorkflows: { a: { artifactIndex: 0, ...reason }, b: { artifactIndex: 1, ...reason } },
  });
  assert.match((await blocked).stdout, /demo\/app:v1 +- +- +MissingEndpoint: there is no src\n/);

  const interruption = new AbortController();
  const interrupted = server.arcctl(['order', 'plan', '-f', await file()], { signal: interruption.signal });
  await trial();
  interruption.abort();
  assert.equal((await interrupted).code, 130);
  assert.deepEqual((await server.client.list(orders, { namespace })).items, []);
});

test('a file without an Order is a usage error', async () => {
  const other = await server.file('other.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n');
  assert.equal((await server.arcctl(['order', 'plan', '-f', other])).code, 2);
});

test('receipts of others say nothing about bytes', () => {
  for (const receipt of [undefined, '', 'done', '7', '{}', '{"bytes":7}', '{"bytes":{"copied":"1","total":2}}']) {
    assert.equal(bytesOfReceipt(receipt), undefined, receipt);
  }
});
