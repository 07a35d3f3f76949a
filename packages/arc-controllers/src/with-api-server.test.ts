import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { arcKinds, artifactWorkflows, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import { argoKinds, workflows } from '@arc/api/argo';
import { coreKinds, namespaces, secrets } from '@arc/api/core';
import type { KindDefinition, ResourceType } from '@arc/apimachinery';
import { isStatusReason } from '@arc/apimachinery';
import { createApiServer } from '@arc/apiserver';
import { startControllers } from '@arc/controller';
import { messageOf } from '@arc/kernel';
import { createInformer, createKubeClient } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import { standaloneControllers } from '@arc/standalone';
import { createMemoryStore } from '@arc/storage';
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { clusterType, endpoint, namespace, order, secret } from '../test/world.ts';
import { createArcControllers } from './index.ts';

const authority = createAuthority({ commonName: 'test' });
const server = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
const admin = issueClientCertificate(authority, { user: 'admin', groups: ['system:masters'] });
const kinds = [...coreKinds, ...argoKinds, ...arcKinds];

interface Scenario extends AsyncDisposable {
  readonly client: KubeClient;
  /** Requests of the controllers, as `verb resource/subresource`, lists and watches left out. */
  readonly requests: string[];
}

type Verdict = (workflow: Workflow) => Workflow['status'] | undefined;

/** Server, client, garbage collection and ARC's controllers as in production; only the engine is scripted. */
async function setUp(verdict: Verdict = () => ({ phase: 'Succeeded' })): Promise<Scenario> {
  await using stack = new AsyncDisposableStack();
  const store = stack.use(createMemoryStore());
  const tls = { cert: server.certPem, key: server.keyPem, clientCa: authority.certPem };
  const api = stack.use(await createApiServer({ kinds, store, tls }));
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 });
  await api.ready;
  const connect = (): KubeClient =>
    stack.use(
      createKubeClient({ server: `https://127.0.0.1:${port}`, caPem: authority.certPem, clientCertificate: admin }, { userAgent: 'test' }),
    );
  const client = connect();
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const requests: string[] = [];
  const arc = stack.use(createArcControllers({ client: counting(connect(), requests), digestKey: Buffer.alloc(32, 'k') }));
  const running = stack.use(
    startControllers([...arc.definitions, ...standaloneControllers({ client: connect(), types: collectable() }), engine(client, verdict)]),
  );
  await running.ready;
  const all = stack.move();
  return { client, requests, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function collectable(): ResourceType[] {
  return kinds
    .filter(
      ({ verbs }: KindDefinition) => verbs === undefined || (['list', 'watch', 'delete'] as const).every((verb) => verbs.includes(verb)),
    )
    .map(({ group, version, kind, names, scope }) => ({ group, version, kind, plural: names.plural, namespaced: scope === 'Namespaced' }));
}

/** Runs every Workflow in two writes, as an engine does: Running, then what the verdict says. */
function engine(client: KubeClient, verdict: Verdict): Parameters<typeof startControllers>[0][number] {
  const informer = createInformer<Workflow>(client, workflows);
  return {
    name: 'scripted-engine',
    sources: [{ informer: informer as never }],
    reconcile: async (request, signal) => {
      const ref = { namespace: request.namespace ?? '', name: request.name };
      const workflow = informer.get(ref.namespace, ref.name);
      if (workflow === undefined || workflow.metadata.deletionTimestamp !== undefined || workflow.status?.finishedAt !== undefined)
        return undefined;
      const running = workflow.status?.phase === 'Running';
      const end = running ? verdict(workflow) : undefined;
      if (running && end === undefined) return undefined;
      const time = new Date().toISOString();
      const status = running ? { ...end, finishedAt: time } : { phase: 'Running', startedAt: time, progress: '0/1' };
      await client.patch(workflows, ref, { status }, { signal });
      return undefined;
    },
  };
}

function counting(client: KubeClient, requests: string[]): KubeClient {
  return new Proxy(client, {
    get(target, property, receiver) {
      const method: unknown = Reflect.get(target, property, receiver);
      if (typeof method !== 'function' || typeof property !== 'string') return method;
      return (...args: unknown[]): unknown => {
        const type = args[0] as ResourceType | undefined;
        const options = args[3] as { subresource?: string } | undefined;
        if (property !== 'list' && property !== 'watch')
          requests.push(`${property} ${type?.plural}${options?.subresource === undefined ? '' : '/status'}`);
        return Reflect.apply(method, target, args);
      };
    },
  });
}

async function supply(client: KubeClient): Promise<void> {
  await client.create(endpoints, endpoint('src'));
  await client.create(endpoints, endpoint('dst'));
  await client.create(clusterArtifactTypes, clusterType());
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `${what} did not happen`);
    await delay(10);
  }
}

async function phaseOf(client: KubeClient, name = 'o'): Promise<string | undefined> {
  return (await client.get<Order>(orders, { namespace, name })).status?.phase;
}

async function isGone(client: KubeClient, type: ResourceType, ref: { namespace?: string; name: string }): Promise<boolean> {
  return await client.get(type, ref).then(
    () => false,
    (error: unknown) => {
      assert.ok(isStatusReason(error, 'NotFound'), messageOf(error));
      return true;
    },
  );
}

test('on the real server, an Order waits for its Endpoint, runs, fails visibly, runs again after a change, and goes', async () => {
  const failing = (workflow: Workflow): boolean =>
    workflow.spec.arguments?.parameters?.some(({ value }) => value === 'https://bad.example.com') === true;
  await using scenario = await setUp((workflow) => (failing(workflow) ? { phase: 'Failed', message: 'no luck' } : { phase: 'Succeeded' }));
  const { client } = scenario;
  await client.create(orders, order(['a']));
  await eventually(
    'the report of what is missing',
    async () => (await client.get<Order>(orders, { namespace, name: 'o' })).status?.counts?.blocked === 1,
  );
  await client.create(secrets, secret('creds', { password: 'hunter2hunter2' }));
  await supply(client);
  await client.patch(endpoints, { namespace, name: 'src' }, { spec: { secretRef: { name: 'creds' } } });
  await eventually('success', async () => (await phaseOf(client)) === 'Succeeded');

  await client.patch(endpoints, { namespace, name: 'dst' }, { spec: { remoteURL: 'https://bad.example.com' } });
  await eventually('failure', async () => (await phaseOf(client)) === 'Failed');
  const failed = (await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace, fieldSelector: 'status.phase=Failed' })).items;
  assert.deepEqual(
    failed.map(({ status }) => [status?.message, status?.reason]),
    [['no luck', 'WorkflowFailed']],
  );
  await client.patch(endpoints, { namespace, name: 'dst' }, { spec: { remoteURL: 'https://good.example.com' } });
  await eventually('success after the repair', async () => (await phaseOf(client)) === 'Succeeded');

  await client.delete(orders, { namespace, name: 'o' }, { propagationPolicy: 'Foreground' });
  await eventually('the end of the Order', async () => await isGone(client, orders, { namespace, name: 'o' }));
  assert.deepEqual((await client.list(artifactWorkflows)).items, []);
  await eventually('the end of its Workflows', async () => (await client.list(workflows)).items.length === 0);
});

test('on the real server, a namespace with Orders under way can be deleted', async () => {
  await using scenario = await setUp(() => undefined);
  const { client } = scenario;
  await supply(client);
  for (let index = 0; index < 10; index++) await client.create(orders, order([`a${index}`, `b${index}`], { name: `o${index}` }));
  await eventually('work', async () => (await client.list(workflows)).items.length > 0);
  await client.delete(namespaces, { name: namespace });
  await eventually('the end of the namespace', async () => await isGone(client, namespaces, { name: namespace }));
  for (const type of [orders, artifactWorkflows, workflows]) assert.deepEqual((await client.list(type)).items, []);
});

test('on the real server, 200 artifacts cost at most 10 requests and 4 status writes each', async () => {
  await using scenario = await setUp();
  const { client, requests } = scenario;
  await supply(client);
  await client.create(orders, order(Array.from({ length: 200 }, (_, index) => `image-${index}`)));
  await eventually('the end of all', async () => (await phaseOf(client)) === 'Succeeded');
  const { counts } = (await client.get<Order>(orders, { namespace, name: 'o' })).status ?? {};
  assert.equal(counts?.succeeded, 200);
  const statusWrites = requests.filter((request) => request.endsWith('/status')).length;
  assert.equal(requests.filter((request) => request === 'create workflows').length, 200);
  assert.ok(requests.length <= 200 * 10, `${requests.length} requests`);
  assert.ok(statusWrites <= 200 * 4 + 20, `${statusWrites} status writes`);
});
