import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { artifactWorkflowLabel, artifactWorkflows, orders, orderUidLabel } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { workflows } from '@arc/api/argo';
import { pods } from '@arc/api/core';
import type { Pod } from '@arc/api/core';
import type { ConnectRequest } from '@arc/apiserver';
import { startTestServer } from '../testing/test-server.ts';
import type { TestServer } from '../testing/test-server.ts';

let server: TestServer;
let orderUid = '';
const requests: string[] = [];

async function* podLog({ name, query }: ConnectRequest): AsyncGenerator<Uint8Array> {
  requests.push(`${name}?${query}`);
  yield Buffer.from(`first of ${name}\nsecond `);
  yield Buffer.from(`of ${name}`);
}

async function createPod(name: string, workflow: string, phase: string): Promise<void> {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      labels: { 'workflows.argoproj.io/workflow': workflow },
      ownerReferences: [{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Workflow', name: workflow, uid: 'u' }],
    },
    spec: { containers: [{ name: 'main' }] },
  };
  await server.client.create(pods, pod);
  await setPhase(name, phase);
}

async function setPhase(name: string, phase: string): Promise<void> {
  await server.client.patch(pods, { namespace: 'default', name }, { status: { phase } }, { subresource: 'status' });
}

async function setOrderPhase(phase: string): Promise<void> {
  await server.client.patch(orders, { namespace: 'default', name: 'demo' }, { status: { phase } }, { subresource: 'status' });
}

before(async () => {
  server = await startTestServer({ podLog: (request) => Promise.resolve({ contentType: 'text/plain', body: podLog(request) }) });
  const order: Order = {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Order',
    metadata: { name: 'demo', namespace: 'default' },
    spec: { artifacts: [{ type: 'oci', srcRef: { name: 's' }, dstRef: { name: 'd' } }] },
  };
  orderUid = (await server.client.create(orders, order)).metadata.uid ?? '';
  const labels = { [orderUidLabel]: orderUid, [artifactWorkflowLabel]: 'w1' };
  await server.client.create(artifactWorkflows, {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata: { name: 'w1', namespace: 'default', labels },
  });
  await server.client.create(workflows, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    metadata: { name: 'w1', namespace: 'default', labels },
    spec: {},
  } as Order);
  await createPod('w1-pull', 'w1', 'Succeeded');
  await createPod('w1-copy', 'w1', 'Succeeded');
  await createPod('other', 'w2', 'Succeeded');
  await createPod('w1-push', 'w1', 'Pending');
});
after(() => server[Symbol.asyncDispose]());

const ofBoth = ['[w1-copy] first of w1-copy', '[w1-copy] second of w1-copy', '[w1-pull] first of w1-pull', '[w1-pull] second of w1-pull'];

test('an Order, an ArtifactWorkflow and a Workflow stand for the steps that have started, each line with its pod', async () => {
  for (const name of ['demo', 'order/demo', 'aw/w1', 'workflow/w1', 'w1']) {
    const { code, stdout, stderr } = await server.arcctl(['logs', name]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trimEnd().split('\n').sort(), ofBoth, name);
  }
});

test('a pod has its log as it is', async () => {
  for (const name of ['w1-copy', 'pod/w1-copy']) {
    const { code, stdout } = await server.arcctl(['logs', name, '--tail', '7']);
    assert.equal(code, 0);
    assert.equal(stdout, 'first of w1-copy\nsecond of w1-copy');
  }
  assert.equal(requests.at(-1), 'w1-copy?tailLines=7');
});

test('a step that has not started is said to have none', async () => {
  const { code, stdout, stderr } = await server.arcctl(['logs', 'pod/w1-push']);
  assert.deepEqual([code, stdout, stderr], [0, '', 'No step has started yet; follow with -f.\n']);
});

test('-f follows steps that start later, until the Order has finished', async () => {
  const seen = { started: false };
  const { code, stdout, stderr } = await server.arcctl(['logs', 'demo', '-f'], {
    onOutput(text) {
      if (!seen.started && text.includes('[w1-pull]') && text.includes('[w1-copy]')) {
        seen.started = true;
        void setPhase('w1-push', 'Succeeded').then(() => setOrderPhase('Succeeded'));
      }
    },
  });
  assert.equal(code, 0, stderr);
  const lines = stdout.trimEnd().split('\n').sort();
  assert.deepEqual(lines, [...ofBoth, '[w1-push] first of w1-push', '[w1-push] second of w1-push'].sort());
});

test('what is unknown is exit code 3, what has no logs is wrong usage', async () => {
  const unknown = await server.arcctl(['logs', 'nothing-here']);
  assert.equal(unknown.code, 3);
  assert.match(unknown.stderr, /no order, artifactworkflow, workflow or pod "nothing-here" in namespace default/);
  assert.equal((await server.arcctl(['logs', 'pod/nothing-here'])).code, 3);
  assert.equal((await server.arcctl(['logs', 'secret/x'])).code, 2);
  assert.equal((await server.arcctl(['logs', 'a/b/c'])).code, 2);
  assert.equal((await server.arcctl(['logs', 'demo', '--tail', 'many'])).code, 2);
});
