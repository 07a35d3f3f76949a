import type { Order } from '@arc/api/arc';
import { arcKinds, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import { argoKinds, workflows } from '@arc/api/argo';
import { coreKinds, namespaces } from '@arc/api/core';
import type { KindDefinition, ResourceType, UnstructuredObject } from '@arc/apimachinery';
import { isStatusReason } from '@arc/apimachinery';
import { createApiServer } from '@arc/apiserver';
import { startControllers } from '@arc/controller';
import { messageOf } from '@arc/kernel';
import { createInformer, createKubeClient } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import { standaloneControllers } from '@arc/standalone';
import { createMemoryStore } from '@arc/storage';
import type { Store } from '@arc/storage';
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { createArcControllers } from '../src/index.ts';
import type { ArcLimits } from '../src/index.ts';
import { clusterType, endpoint, namespace } from './world.ts';

const authority = createAuthority({ commonName: 'test' });
const server = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
const admin = issueClientCertificate(authority, { user: 'admin', groups: ['system:masters'] });
const kinds = [...coreKinds, ...argoKinds, ...arcKinds];

export interface Scenario extends AsyncDisposable {
  readonly client: KubeClient;
  /** Requests of the controllers, as `verb resource/subresource`, lists and watches left out. */
  readonly requests: string[];
  /** Warnings the client was given. */
  readonly warnings: string[];
}

export interface ScenarioOptions {
  readonly limits?: ArcLimits;
  /** What is in the store before the server starts, whatever its rules would say of it. */
  readonly stored?: readonly UnstructuredObject[];
}

/** What becomes of a Workflow that runs; undefined: it goes on. */
export type Verdict = (workflow: Workflow) => Workflow['status'] | undefined;

/** Server, client, garbage collection and ARC's controllers as in production; only the engine is scripted. */
export async function setUp(verdict: Verdict = () => ({ phase: 'Succeeded' }), options: ScenarioOptions = {}): Promise<Scenario> {
  await using stack = new AsyncDisposableStack();
  const store = stack.use(createMemoryStore());
  for (const object of options.stored ?? []) await seed(store, object);
  const tls = { cert: server.certPem, key: server.keyPem, clientCa: authority.certPem };
  const api = stack.use(await createApiServer({ kinds, store, tls }));
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 });
  await api.ready;
  const config = { server: `https://127.0.0.1:${port}`, caPem: authority.certPem, clientCertificate: admin };
  const connect = (): KubeClient => stack.use(createKubeClient(config, { userAgent: 'test' }));
  const warnings: string[] = [];
  const client = stack.use(createKubeClient(config, { userAgent: 'test', onWarning: (text) => warnings.push(text) }));
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const requests: string[] = [];
  const arc = stack.use(
    createArcControllers({
      client: counting(connect(), requests),
      digestKey: Buffer.alloc(32, 'k'),
      ...(options.limits !== undefined && { limits: options.limits }),
    }),
  );
  const running = stack.use(
    startControllers([...arc.definitions, ...standaloneControllers({ client: connect(), types: collectable() }), engine(client, verdict)]),
  );
  await running.ready;
  const all = stack.move();
  return { client, requests, warnings, [Symbol.asyncDispose]: () => all.disposeAsync() };
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

export async function supply(client: KubeClient): Promise<void> {
  await client.create(endpoints, endpoint('src'));
  await client.create(endpoints, endpoint('dst'));
  await client.create(clusterArtifactTypes, clusterType());
}

export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `${what} did not happen`);
    await delay(10);
  }
}

export async function phaseOf(client: KubeClient, name = 'o'): Promise<string | undefined> {
  return (await client.get<Order>(orders, { namespace, name })).status?.phase;
}

export async function isGone(client: KubeClient, type: ResourceType, ref: { namespace?: string; name: string }): Promise<boolean> {
  return await client.get(type, ref).then(
    () => false,
    (error: unknown) => {
      assert.ok(isStatusReason(error, 'NotFound'), messageOf(error));
      return true;
    },
  );
}

/** Puts an object where the server will find it, as an older one or another program may have left it. */
async function seed(store: Store, object: UnstructuredObject): Promise<void> {
  const kind = kinds.find((candidate) => candidate.kind === object.kind);
  assert.ok(kind !== undefined && kind.group !== '', `${object.kind} is a kind of a group`);
  const { namespace: of = '', name = '' } = object.metadata;
  const key = `/registry/${kind.group}/${kind.names.plural}/${kind.scope === 'Namespaced' ? `${of}/` : ''}${name}`;
  await store.commit([{ key, expect: 'absent', value: Buffer.from(JSON.stringify(object)) }]);
}
