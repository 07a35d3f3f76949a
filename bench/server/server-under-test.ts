import { Connection } from '../load/connection.ts';
import { fillTemplate, objectName } from '../load/object-template.ts';
import type { Target } from '../load/target.ts';
import { startChild, type Child } from '../processes/calls.ts';
import { cpuTimeMs } from '../processes/process-usage.ts';
import { startBackend, type Backend, type BackendName } from './backends.ts';
import { collection, namespace, orderTemplate } from './order-sample.ts';
import type { Seed } from './seed.ts';
import type { Usage } from '../processes/own-usage.ts';
import type { RequestCounts, ServerCalls } from './server-process.ts';

/** An API server in a process of its own, with a user who may do everything with Orders in the namespace of the bench. */
export interface ServerUnderTest extends AsyncDisposable {
  readonly backend: BackendName;
  readonly target: Target;
  readonly probedMs: number;
  readonly startMs: number;
  usage(): Promise<Usage>;
  /** After a garbage collection. */
  usageAtRest(): Promise<Usage>;
  /** CPU time so far: of the server, and of its database where that is another process. */
  cpuMs(): Promise<{ readonly server: number; readonly database: number }>;
  /** Of a server that counts them; empty otherwise. */
  requests(): Promise<RequestCounts>;
  /** How an administrator of this name reaches it. */
  administrator(name: string): Promise<Target>;
}

/** More heap than Node takes by itself, for a million objects. */
export const execArgv = ['--expose-gc', '--max-old-space-size=8192'];

/** Starts a backend, puts objects into it, and serves it. */
export async function startServer(backend: BackendName, objects = 0): Promise<ServerUnderTest> {
  await using parts = new AsyncDisposableStack();
  const storage = parts.use(await startBackend(backend));
  const seed = await seedFor(objects);
  const server = parts.use(await serve(storage, seed));
  const owned = parts.move();
  return { ...server, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Serves a backend that is there already. */
export async function serve(
  backend: Backend,
  seed?: Seed,
  { countRequests = false }: { readonly countRequests?: boolean } = {},
): Promise<ServerUnderTest & { readonly seedMs: number }> {
  await using parts = new AsyncDisposableStack();
  const child = parts.use(startChild<ServerCalls>(new URL('./server-process.ts', import.meta.url), { execArgv }));
  const started = await child.call('start', { storage: backend.url, countRequests, ...(seed !== undefined && { seed }) });
  await prepareForBench(started.administrator);
  const owned = parts.move();
  return {
    backend: backend.name,
    target: started.user,
    probedMs: started.probedMs,
    startMs: started.startMs,
    seedMs: started.seedMs,
    usage: () => child.call('usage', { collect: false }),
    usageAtRest: () => child.call('usage', { collect: true }),
    cpuMs: () => cpuOf(child, backend),
    requests: () => child.call('requests', undefined),
    administrator: (name) => child.call('administrator', { name }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function cpuOf(child: Child<ServerCalls>, { databasePid }: Backend): Promise<{ server: number; database: number }> {
  const { cpuMs } = await child.call('usage', { collect: false });
  return { server: cpuMs, database: databasePid === undefined ? 0 : (cpuTimeMs(databasePid) ?? 0) };
}

/** Makes the namespace and gives the user rights, unless the storage has them from before. */
export async function prepareForBench(administrator: Target): Promise<void> {
  using connection = await Connection.open(administrator);
  const name = 'bench';
  const rbac = 'rbac.authorization.k8s.io';
  const create = async (path: string, object: unknown): Promise<void> => {
    const head = connection.head({ method: 'POST', path, contentType: 'application/json' });
    await connection.send(head, JSON.stringify(object)).catch((error: Error) => {
      if (!error.message.startsWith('answered 409')) throw error;
    });
  };
  await create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await create(`/apis/${rbac}/v1/clusterroles`, {
    ...{ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name } },
    rules: [{ apiGroups: ['arc.opendefense.cloud'], resources: ['*'], verbs: ['*'] }],
  });
  await create(`/apis/${rbac}/v1/clusterrolebindings`, {
    ...{ apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata: { name } },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    subjects: [{ kind: 'User', apiGroup: rbac, name: 'bench' }],
  });
}

const sampleIndex = 9_999_999;
let sample: Promise<string> | undefined;

/** What fills a store with `objects` Orders, each as the API server itself would have stored it. */
export async function seedFor(objects: number): Promise<Seed | undefined> {
  if (objects === 0) return undefined;
  sample ??= makeSample();
  return { sample: await sample, sampleIndex, objects };
}

async function makeSample(): Promise<string> {
  await using server = await startServer('memory');
  using connection = await Connection.open(server.target);
  const post = connection.head({ method: 'POST', path: collection, contentType: 'application/json' });
  await connection.send(post, fillTemplate(orderTemplate, sampleIndex));
  const path = `${collection}/${objectName(sampleIndex)}`;
  const status = connection.head({ method: 'PATCH', path: `${path}/status`, contentType: 'application/merge-patch+json' });
  await connection.send(status, JSON.stringify({ status: { phase: 'Running', observedGeneration: 1 } }));
  const { body } = await connection.send(connection.head({ method: 'GET', path }), '', { keepBody: true });
  return body.toString('utf8');
}
