import type { AnyArtifactType, Artifact, ArtifactWorkflow, Endpoint, Order } from '@arc/api/arc';
import { artifactTypes, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { ClusterWorkflowTemplate } from '@arc/api/argo';
import { clusterWorkflowTemplates } from '@arc/api/argo';
import { namespaces, secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import type { KubeClient } from '@arc/kube-client';
import type { Random } from './random.ts';
import { behaviours } from './scripted-steps.ts';

const apiVersion = 'arc.opendefense.cloud/v1alpha1';

/** Few names, so that operations meet each other. */
export const names = {
  namespaces: ['blue', 'green', 'red'],
  orders: ['o1', 'o2', 'o3', 'o4', 'o5', `long-${'x'.repeat(80)}.y`],
  /** ArtifactWorkflows written by hand. */
  runs: ['h1', 'h2', 'h3'],
  endpoints: ['src-a', 'src-b', 'dst-a', 'dst-b'],
  secrets: ['creds-a', 'creds-b'],
} as const;

/** A type whose runs go soon after their end and have a rendered configuration. */
export const fleetingType = 'fleeting';
const clusterTypes = ['oci', fleetingType, 'nodry'];

/** Once per world: namespaces, templates, the types of the cluster, Endpoints and Secrets. */
export async function createBasics(client: KubeClient, random: Random, newPassword: (of: string) => string): Promise<void> {
  for (const name of names.namespaces) await client.create(namespaces, namespace(name));
  await client.create(clusterWorkflowTemplates, template('copy', ['dryRun']));
  await client.create(clusterWorkflowTemplates, template('copy-for-real', []));
  for (const name of clusterTypes) await client.create(clusterArtifactTypes, clusterType(name, random));
  for (const namespace of names.namespaces) {
    for (const name of names.endpoints) await client.create(endpoints, endpoint(name, namespace, random));
    for (const name of names.secrets) await client.create(secrets, secret(name, namespace, newPassword(`${namespace}-${name}`)));
  }
  await createSentinel(client, newPassword);
}

/** An Order that no operation touches, whose Secret is `creds-a`. */
export const sentinel = { namespace: 'sentinel', name: 'sentinel' };

async function createSentinel(client: KubeClient, newPassword: (of: string) => string): Promise<void> {
  const { namespace: own } = sentinel;
  await client.create(namespaces, namespace(own));
  await client.create(secrets, secret('creds-a', own, newPassword(own)));
  await client.create(artifactTypes, {
    apiVersion,
    kind: 'ArtifactType',
    metadata: { namespace: own, name: 'oci' },
    spec: { workflowTemplateRef: { name: 'copy', clusterScope: true } },
  });
  for (const name of ['src-a', 'dst-a']) {
    const spec = { type: 'oci', remoteURL: `https://${name}.example.com`, secretRef: { name: 'creds-a' } };
    await client.create(endpoints, { apiVersion, kind: 'Endpoint', metadata: { namespace: own, name }, spec });
  }
  const spec = {
    artifacts: [
      { type: 'oci', srcRef: { name: 'src-a' }, dstRef: { name: 'dst-a' }, spec: { image: 'image-0', behaviour: 'ok' as const } },
    ],
  };
  await client.create(orders, { apiVersion, kind: 'Order', metadata: sentinel, spec });
}

export function namespace(name: string) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function template(name: string, further: readonly string[]): ClusterWorkflowTemplate {
  const parameters = ['specBehaviour', 'specImage', ...further].map((parameter) => ({ name: parameter, value: '' }));
  const volumeMounts = ['src', 'dst'].map((side) => ({ name: `${side}-secret-vol`, mountPath: `/secrets/${side}`, readOnly: true }));
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ClusterWorkflowTemplate',
    metadata: { name },
    spec: {
      entrypoint: 'copy',
      arguments: { parameters },
      templates: [
        {
          name: 'copy',
          container: { image: 'scripted', command: ['copy'], args: ['{{workflow.parameters.specBehaviour}}'], volumeMounts },
        },
      ],
    },
  };
}

export function clusterType(name: string, random: Random): AnyArtifactType {
  return { apiVersion, kind: 'ClusterArtifactType', metadata: { name }, spec: typeSpec(name, random) };
}

/** One of the namespace, which hides that of the cluster. */
export function namespacedType(name: string, namespace: string, random: Random): AnyArtifactType {
  return {
    apiVersion,
    kind: 'ArtifactType',
    metadata: { namespace, name },
    spec: { ...typeSpec(name, random), workflowTemplateRef: { name: 'copy', clusterScope: true } },
  };
}

function typeSpec(name: string, random: Random): NonNullable<AnyArtifactType['spec']> {
  return {
    workflowTemplateRef: { name: name === 'nodry' ? 'copy-for-real' : 'copy' },
    parameters: [{ name: 'level', value: String(random.below(3)) }],
    ...(random.chance(20) && { rules: { srcTypes: ['oci'] } }),
    ...(name === fleetingType && { ttlAfterFinished: '1s', ttlAfterFailed: '1s', renderConfig: true }),
  };
}

export function endpoint(name: string, namespace: string, random: Random): Endpoint {
  return { apiVersion, kind: 'Endpoint', metadata: { namespace, name }, spec: endpointSpec(name, random) };
}

export function endpointSpec(name: string, random: Random): NonNullable<Endpoint['spec']> {
  return {
    type: random.chance(90) ? 'oci' : 's3',
    remoteURL: `https://${name}-${random.below(3)}.example.com`,
    usage: random.chance(80) ? 'All' : random.chance(50) ? 'PullOnly' : 'PushOnly',
    ...(random.chance(50) && { secretRef: { name: random.pick(names.secrets) ?? '' } }),
  };
}

export function secret(name: string, namespace: string, password: string): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name },
    type: 'Opaque',
    data: { username: encode('somebody'), password: encode(password) },
  };
}

export function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

export function order(name: string, namespace: string, random: Random): Order {
  return { apiVersion, kind: 'Order', metadata: { namespace, name, labels: { team: 'a' } }, spec: orderSpec(random) };
}

function orderSpec(random: Random): NonNullable<Order['spec']> {
  return {
    defaults: defaults(random),
    artifacts: Array.from({ length: random.below(5) }, () => artifact(random)),
    ...(random.chance(4) && { ttl: `${2 + random.below(4)}s` }),
    ...(random.chance(12) && { TTLSecondsAfterCompletion: random.below(2) }),
    ...(random.chance(6) && { dryRun: true }),
    ...(random.chance(6) && { suspend: true }),
    ...(random.chance(20) && { priority: random.below(3) }),
  };
}

export function defaults(random: Random): NonNullable<NonNullable<Order['spec']>['defaults']> {
  const several = random.chance(30);
  return {
    srcRef: { name: random.chance(50) ? 'src-a' : 'src-b' },
    ...(several ? { dstRefs: [{ name: 'dst-a' }, { name: 'dst-b' }] } : { dstRef: { name: random.chance(50) ? 'dst-a' : 'dst-b' } }),
    ...(random.chance(3) && { cron: schedule(random) }),
  };
}

export function artifact(random: Random): Artifact {
  const scheduled = random.below(100);
  return {
    type: random.chance(70) ? 'oci' : (random.pick([fleetingType, 'nodry', 'local', 'nowhere']) ?? ''),
    spec: artifactSpec(random),
    ...(random.chance(10) && { dstRef: { name: 'dst-a' } }),
    ...(scheduled < 6 && { cron: schedule(random) }),
    ...(scheduled >= 90 && { cron: { disabled: true } }),
  };
}

/** The same image behaves in several ways, and names come in any order, which means nothing. */
function artifactSpec(random: Random): Record<string, unknown> {
  const image = `image-${random.below(4)}`;
  const behaviour = random.chance(45) ? 'ok' : random.pick(behaviours);
  return random.chance(50) ? { image, behaviour } : { behaviour, image };
}

function schedule(random: Random): NonNullable<Artifact['cron']> {
  return {
    schedules: [random.chance(50) ? '@every 2s' : '0 3 * * *'],
    concurrencyPolicy: random.pick(['Allow', 'Forbid', 'Replace']) ?? '',
  };
}

export function runByHand(name: string, namespace: string, random: Random): ArtifactWorkflow {
  const { image, behaviour } = artifactSpec(random);
  return {
    apiVersion,
    kind: 'ArtifactWorkflow',
    metadata: { namespace, name },
    spec: {
      type: random.chance(80) ? 'oci' : 'nowhere',
      srcRef: { name: random.chance(50) ? 'src-a' : 'src-b' },
      dstRef: { name: random.chance(50) ? 'dst-a' : 'dst-b' },
      parameters: [
        { name: 'specImage', value: String(image) },
        { name: 'specBehaviour', value: String(behaviour) },
      ],
    },
  };
}
