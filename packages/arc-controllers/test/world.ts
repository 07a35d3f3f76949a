import type { ArtifactType, ArtifactWorkflow, ClusterArtifactType, Endpoint, Order, OrderRun } from '@arc/api/arc';
import { arcKinds, artifactTypes, artifactWorkflows, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { NodeStatus, Workflow } from '@arc/api/argo';
import { argoKinds, workflows } from '@arc/api/argo';
import { secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { startControllers } from '@arc/controller';
import type { RunningControllers } from '@arc/controller';
import { FakeClock } from '@arc/kernel';
import type { Logger } from '@arc/kernel';
import { createFakeClient } from '@arc/kube-client/fake';
import type { FakeClient } from '@arc/kube-client/fake';
import assert from 'node:assert/strict';
import { createArcControllers } from '../src/index.ts';
import type { ArcControllers, ArcControllersOptions, ArcLimits } from '../src/index.ts';

export const namespace = 'team';
const digestKey = Buffer.from('a key that stays the same for ever');

/** What a scripted engine does with a Workflow it sees. */
export type Script = (workflow: Workflow) => Workflow['status'] | undefined;

/** Controllers at work against an in-memory server, on a clock that moves only here. */
export interface World extends AsyncDisposable {
  readonly client: FakeClient;
  readonly clock: FakeClock;
  readonly logs: Record<string, unknown>[];
  /** Ends the controllers as a crash would and starts new ones, which know nothing. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Lets everything that wants to happen within `ms` happen. */
  settle(ms?: number): Promise<void>;
  until(what: string, holds: () => boolean): Promise<void>;
  apply(type: ResourceType, object: KubeObject & { readonly spec?: unknown }): void;
  order(name?: string): Order;
  entries(name?: string): OrderRun[];
  runs(): ArtifactWorkflow[];
  workflows(): Workflow[];
  /** Sets the status of a Workflow, as Argo does: with the object itself. */
  report(name: string, status: Workflow['status']): void;
}

type WorldOptions = Pick<ArcControllersOptions, 'endpointProbe' | 'endpointProbeTtlMs' | 'metrics' | 'handOver' | 'kueue'>;

export async function createWorld(limits: ArcLimits = {}, options: WorldOptions = {}): Promise<World> {
  const clock = new FakeClock();
  const client = createFakeClient({ clock, kinds: [...arcKinds, ...argoKinds] });
  const logs: Record<string, unknown>[] = [];
  const logger = recordingLogger(logs, {});
  let controllers: ArcControllers | undefined;
  let running: RunningControllers | undefined;

  const world: World = {
    client,
    clock,
    logs,
    async start() {
      controllers = createArcControllers({
        client,
        digestKey,
        clock,
        logger,
        limits: { progressIntervalMs: 0, startIntervalMs: 0, orderStatusIntervalMs: 0, ...limits },
        ...options,
      });
      running = startControllers(controllers.definitions, { clock, logger });
      await running.ready;
    },
    async stop() {
      await running?.[Symbol.asyncDispose]();
      await controllers?.[Symbol.asyncDispose]();
      running = undefined;
    },
    async restart() {
      await world.stop();
      await world.start();
    },
    async settle(ms = 1000) {
      for (let quiet = 0, seen = -1; quiet < 5;) {
        await clock.advance(ms / 10);
        quiet = client.requests.length === seen ? quiet + 1 : 0;
        seen = client.requests.length;
      }
    },
    async until(what, holds) {
      for (let round = 0; round < 2000; round++) {
        if (holds()) return;
        await clock.advance(20);
      }
      assert.fail(`it never came true that ${what}; last: ${JSON.stringify(client.peekAll(orders), undefined, 1)}`);
    },
    apply(type, object) {
      const ref = {
        ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
        name: object.metadata.name ?? '',
      };
      const old = client.peek(type, ref);
      if (old === undefined) {
        client.put(type, object);
        return;
      }
      const generation = (old.metadata.generation ?? 1) + (JSON.stringify(old['spec']) === JSON.stringify(object.spec) ? 0 : 1);
      client.put(type, { ...old, ...object, metadata: { ...old.metadata, ...object.metadata, generation } });
    },
    order(name = 'o') {
      const order = client.peek<Order>(orders, { namespace, name });
      assert.ok(order, `there is an Order ${name}`);
      return order;
    },
    entries(name = 'o') {
      return Object.values(world.order(name).status?.artifactWorkflows ?? {}).sort((a, b) => a.artifactIndex - b.artifactIndex);
    },
    runs: () => client.peekAll<ArtifactWorkflow>(artifactWorkflows),
    workflows: () => client.peekAll<Workflow>(workflows),
    report(name, status) {
      const workflow = client.peek<Workflow>(workflows, { namespace, name });
      assert.ok(workflow, `there is a Workflow ${name}`);
      client.put(workflows, { ...workflow, ...(status !== undefined && { status: { ...workflow.status, ...status } }) } as Workflow);
    },
    async [Symbol.asyncDispose]() {
      await world.stop();
    },
  };
  await world.start();
  return world;
}

/** Ends every Workflow that is there, again and again, until there is none left to end. */
export async function runAll(
  world: World,
  script: Script = () => ({ phase: 'Succeeded', finishedAt: '2026-01-01T00:10:00Z' }),
): Promise<void> {
  for (;;) {
    await world.settle();
    const open = world.workflows().filter(({ status }) => status?.finishedAt === undefined);
    if (open.length === 0) return;
    for (const workflow of open) world.report(workflow.metadata.name ?? '', script(workflow));
  }
}

export function endpoint(name: string, spec: Endpoint['spec'] = {}): Endpoint {
  return {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Endpoint',
    metadata: { namespace, name },
    spec: { type: 'oci', remoteURL: `https://${name}.example.com`, ...spec },
  };
}

export function clusterType(name = 'oci', spec: ClusterArtifactType['spec'] = {}): ClusterArtifactType {
  return {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ClusterArtifactType',
    metadata: { name },
    spec: { workflowTemplateRef: { name: 'copy' }, ...spec },
  };
}

export function namespacedType(name: string, spec: ArtifactType['spec'] = {}): ArtifactType {
  return {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactType',
    metadata: { namespace, name },
    spec: { workflowTemplateRef: { name: 'local' }, ...spec },
  };
}

export function secret(name: string, values: Record<string, string>): Secret {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name }, type: 'Opaque', data };
}

export function order(images: readonly string[], extra: Partial<Order> & { readonly name?: string } = {}): Order {
  const { name = 'o', metadata, ...rest } = extra;
  return {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Order',
    metadata: { namespace, name, ...metadata },
    spec: {
      defaults: { srcRef: { name: 'src' }, dstRef: { name: 'dst' } },
      artifacts: images.map((image) => ({ type: 'oci', spec: { image } })),
    },
    ...rest,
  };
}

/** Source, destination and type: what a plain Order needs. */
export function supply(world: World): void {
  world.apply(endpoints, endpoint('src'));
  world.apply(endpoints, endpoint('dst'));
  world.apply(clusterArtifactTypes, clusterType());
}

export function podNode(id: string, extra: Partial<NodeStatus> = {}): NodeStatus {
  return { id, name: id, displayName: id, type: 'Pod', phase: 'Succeeded', ...extra };
}

/** How many objects of a type were created through the API. */
export function creations(world: World, type: ResourceType): string[] {
  return world.client.requests
    .filter(({ verb, type: requested }) => verb === 'create' && requested?.plural === type.plural)
    .map(({ name }) => name ?? '');
}

export { artifactTypes, artifactWorkflows, clusterArtifactTypes, endpoints, orders, secrets, workflows };

function recordingLogger(logs: Record<string, unknown>[], bound: Record<string, unknown>): Logger {
  const at =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}): void =>
      void logs.push({ level, message, ...bound, ...fields });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => recordingLogger(logs, { ...bound, ...fields }),
  };
}
