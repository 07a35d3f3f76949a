import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import {
  artifactTypes,
  artifactWorkflows,
  clusterArtifactTypes,
  endpoints,
  forceAtAnnotation,
  orderUidLabel,
  orders,
  retryAnnotation,
} from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import { cronWorkflows, workflows } from '@arc/api/argo';
import { namespaces, secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import type { KubeObject, ResourceType } from '@arc/apimachinery';
import type { KubeClient } from '@arc/kube-client';
import type { Meddling } from './meddling.ts';
import * as objects from './objects.ts';
import { names } from './objects.ts';
import type { Random } from './random.ts';

/** What an operation works with. */
interface OperationContext {
  readonly client: KubeClient;
  readonly random: Random;
  /** A namespace it takes place in. */
  readonly namespace: string;
  /** A text that is in nothing else, and is to stay secret. */
  readonly newPassword: () => string;
  readonly meddling: Meddling;
}

export interface Operation {
  readonly name: string;
  /** How often it comes up in relation to others. */
  readonly weight: number;
  run(context: OperationContext): Promise<unknown>;
}

type Ref = { readonly namespace: string; readonly name: string };

function refIn({ namespace, random }: OperationContext, choices: readonly string[]): Ref {
  return { namespace, name: random.pick(choices) ?? '' };
}

async function annotate(
  { client }: OperationContext,
  type: ResourceType,
  ref: Ref,
  annotations: Record<string, string | null>,
): Promise<void> {
  await client.patch(type, ref, { metadata: { annotations } });
}

/** Deletes this very object, after telling the judge. */
async function deleteMeddling(
  context: OperationContext,
  type: ResourceType,
  object: KubeObject,
  policy?: 'Background' | 'Foreground' | 'Orphan',
): Promise<void> {
  const { namespace = '', name = '', uid = '' } = object.metadata;
  context.meddling.deleted(object);
  await context.client.delete(
    type,
    { namespace, name },
    { preconditions: { uid }, ...(policy !== undefined && { propagationPolicy: policy }) },
  );
}

/** One of those there are, if any. */
async function oneOf<T extends KubeObject>(
  { client, namespace, random }: OperationContext,
  type: ResourceType,
  which: (object: T) => boolean = () => true,
): Promise<T | undefined> {
  return random.pick((await client.list<T>(type, { namespace })).items.filter(which));
}

async function changeOrder(context: OperationContext): Promise<unknown> {
  const { client, random } = context;
  const ref = refIn(context, names.orders);
  const { spec = {} } = await client.get<Order>(orders, ref);
  const artifacts = [...(spec.artifacts ?? [])];
  const changes: (() => Record<string, unknown>)[] = [
    () => ({ artifacts: [...artifacts, objects.artifact(random)] }),
    () => ({ artifacts: artifacts.slice(1) }),
    () => ({ artifacts: artifacts.toReversed() }),
    () => ({ artifacts: artifacts.map((artifact, index) => (index === 0 ? objects.artifact(random) : artifact)) }),
    () => ({ defaults: { cron: null, dstRef: null, dstRefs: null, ...objects.defaults(random) } }),
    () => ({ dryRun: spec.dryRun !== true }),
    () => ({ TTLSecondsAfterCompletion: spec.TTLSecondsAfterCompletion === undefined ? 1 : null }),
  ];
  return await client.patch(orders, ref, { spec: random.pick(changes)?.() });
}

/** What `arcctl order cancel` does. */
async function cancelOrder(context: OperationContext): Promise<void> {
  const { client, namespace, meddling } = context;
  const order = await client.patch<Order>(orders, refIn(context, names.orders), { spec: { suspend: true } });
  const { items } = await client.list<Workflow>(workflows, { namespace, labelSelector: `${orderUidLabel}=${order.metadata.uid}` });
  for (const workflow of items.filter(({ status }) => status?.finishedAt === undefined)) {
    meddling.ended(workflow);
    await client.patch(workflows, { namespace, name: workflow.metadata.name ?? '' }, { spec: { shutdown: 'Terminate' } });
  }
}

async function reorderSecret(context: OperationContext): Promise<void> {
  const { client, random } = context;
  const ref = refIn(context, names.secrets);
  const secret = await client.get<Secret>(secrets, ref);
  const data = Object.fromEntries(Object.entries(secret.data ?? {}).toReversed());
  await client.update(secrets, { ...secret, data, metadata: { ...secret.metadata, labels: { touched: String(random.below(100)) } } });
}

async function replaceType(context: OperationContext, type: typeof artifactTypes): Promise<void> {
  const { client, random, namespace } = context;
  const name = random.chance(50) ? 'oci' : 'local';
  const present = (await client.list(type, { namespace })).items.some(({ metadata }) => metadata.name === name);
  if (present) await client.delete(type, { namespace, name });
  if (!present || random.chance(50)) await client.create(type, objects.namespacedType(name, namespace, random));
}

async function deleteNamespace({ client, namespace, random, meddling }: OperationContext): Promise<void> {
  if (!random.chance(50)) return;
  const noteAll = async (): Promise<void> => {
    for (const type of [orders, artifactWorkflows, workflows]) {
      for (const object of (await client.list(type, { namespace })).items) meddling.deleted(object);
    }
  };
  await noteAll();
  await client.delete(namespaces, { name: namespace });
  await noteAll();
}

const seconds = (): number => Math.floor(Date.now() / 1000);

/** All that people and other programs may do. */
export const operations: readonly [Operation, ...Operation[]] = [
  {
    name: 'create Order',
    weight: 14,
    run: (context) => {
      const { namespace, name } = refIn(context, names.orders);
      return context.client.create(orders, objects.order(name, namespace, context.random));
    },
  },
  { name: 'change Order', weight: 16, run: changeOrder },
  {
    name: 'delete Order',
    weight: 6,
    run: async (context) => {
      const order = await context.client.get(orders, refIn(context, names.orders));
      await deleteMeddling(context, orders, order, context.random.pick(['Background', 'Background', 'Foreground', 'Orphan']));
    },
  },
  {
    name: 'suspend or resume Order',
    weight: 8,
    run: (context) => context.client.patch(orders, refIn(context, names.orders), { spec: { suspend: context.random.chance(35) } }),
  },
  { name: 'cancel Order', weight: 2, run: cancelOrder },
  {
    name: 'force Order',
    weight: 5,
    run: (context) =>
      annotate(context, orders, refIn(context, names.orders), { [forceAtAnnotation]: String(seconds() - context.random.below(100)) }),
  },
  {
    name: 'force Order in the future',
    weight: 3,
    run: (context) =>
      annotate(context, orders, refIn(context, names.orders), { [forceAtAnnotation]: String(seconds() + 1 + context.random.below(3)) }),
  },
  {
    name: 'take back force of Order',
    weight: 1,
    run: (context) => annotate(context, orders, refIn(context, names.orders), { [forceAtAnnotation]: null }),
  },
  {
    name: 'retry Order',
    weight: 6,
    run: (context) => annotate(context, orders, refIn(context, names.orders), { [retryAnnotation]: String(context.random.below(1000)) }),
  },
  {
    name: 'label Order',
    weight: 4,
    run: (context) =>
      context.client.patch(orders, refIn(context, names.orders), {
        metadata: { labels: { touched: String(context.random.below(100)) } },
        spec: { priority: context.random.below(5) },
      }),
  },
  {
    name: 'create Endpoint',
    weight: 8,
    run: (context) => {
      const { namespace, name } = refIn(context, names.endpoints);
      return context.client.create(endpoints, objects.endpoint(name, namespace, context.random));
    },
  },
  {
    name: 'change Endpoint',
    weight: 8,
    run: (context) => {
      const ref = refIn(context, names.endpoints);
      return context.client.patch(endpoints, ref, { spec: { secretRef: null, ...objects.endpointSpec(ref.name, context.random) } });
    },
  },
  {
    name: 'label Endpoint',
    weight: 3,
    run: (context) => annotate(context, endpoints, refIn(context, names.endpoints), { touched: String(context.random.below(100)) }),
  },
  { name: 'delete Endpoint', weight: 2, run: (context) => context.client.delete(endpoints, refIn(context, names.endpoints)) },
  {
    name: 'create Secret',
    weight: 5,
    run: (context) => {
      const { namespace, name } = refIn(context, names.secrets);
      return context.client.create(secrets, objects.secret(name, namespace, context.newPassword()));
    },
  },
  {
    name: 'rotate Secret',
    weight: 6,
    run: (context) =>
      context.client.patch(secrets, refIn(context, names.secrets), { data: { password: objects.encode(context.newPassword()) } }),
  },
  { name: 'reorder Secret', weight: 3, run: reorderSecret },
  { name: 'delete Secret', weight: 2, run: (context) => context.client.delete(secrets, refIn(context, names.secrets)) },
  { name: 'replace ArtifactType', weight: 4, run: (context) => replaceType(context, artifactTypes) },
  {
    name: 'change ClusterArtifactType',
    weight: 1,
    run: ({ client, random }) =>
      client.patch(clusterArtifactTypes, { name: 'oci' }, { spec: { rules: null, ...objects.clusterType('oci', random).spec } }),
  },
  {
    name: 'change parameter of ClusterArtifactType',
    weight: 1,
    run: ({ client, random }) =>
      client.patch(
        clusterArtifactTypes,
        { name: 'fleeting' },
        { spec: { parameters: [{ name: 'level', value: String(random.below(3)) }] } },
      ),
  },
  {
    name: 'create ArtifactWorkflow',
    weight: 5,
    run: (context) => {
      const { namespace, name } = refIn(context, names.runs);
      return context.client.create(artifactWorkflows, objects.runByHand(name, namespace, context.random));
    },
  },
  {
    name: 'force or retry ArtifactWorkflow',
    weight: 4,
    run: (context) => {
      const annotation = context.random.chance(50)
        ? { [retryAnnotation]: String(context.random.below(1000)) }
        : { [forceAtAnnotation]: String(seconds() - 50 + context.random.below(52)) };
      return annotate(context, artifactWorkflows, refIn(context, names.runs), annotation);
    },
  },
  {
    name: 'delete ArtifactWorkflow',
    weight: 6,
    run: async (context) => {
      const run = await oneOf<ArtifactWorkflow>(context, artifactWorkflows);
      if (run !== undefined) await deleteMeddling(context, artifactWorkflows, run, context.random.pick(['Background', 'Foreground']));
    },
  },
  {
    name: 'delete Workflow',
    weight: 6,
    run: async (context) => {
      const workflow = await oneOf<Workflow>(
        context,
        workflows,
        ({ status }) => status?.finishedAt === undefined || context.random.chance(20),
      );
      if (workflow !== undefined) await deleteMeddling(context, workflows, workflow);
    },
  },
  {
    name: 'delete CronWorkflow',
    weight: 1,
    run: async (context) => {
      const cron = await oneOf(context, cronWorkflows);
      if (cron !== undefined) await deleteMeddling(context, cronWorkflows, cron);
    },
  },
  {
    name: 'change CronWorkflow',
    weight: 1,
    run: async (context) => {
      const cron = await oneOf(context, cronWorkflows);
      const { namespace } = context;
      if (cron !== undefined)
        await context.client.patch(cronWorkflows, { namespace, name: cron.metadata.name ?? '' }, { spec: { schedules: ['1 1 1 1 *'] } });
    },
  },
  {
    name: 'change rendered configuration',
    weight: 1,
    run: async (context) => {
      const config = await oneOf<Secret>(context, secrets, ({ metadata }) => metadata.name?.endsWith('-config') === true);
      const { namespace } = context;
      if (config !== undefined)
        await context.client.patch(
          secrets,
          { namespace, name: config.metadata.name ?? '' },
          { data: { 'config.json': objects.encode('{}') } },
        );
    },
  },
  { name: 'delete Namespace', weight: 1, run: deleteNamespace },
  { name: 'create Namespace', weight: 8, run: ({ client, namespace }) => client.create(namespaces, objects.namespace(namespace)) },
];
