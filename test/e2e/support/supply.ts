import { artifactWorkflows, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { clusterWorkflowTemplates } from '@arc/api/argo';
import { secrets } from '@arc/api/core';
import type { KubeObject } from '@arc/apimachinery';
import type { KubeClient } from '@arc/kube-client';
import { eventually } from '@arc/testkit';

/** The namespace with the Orders. */
export const tenant = 'team';
/** The user that the controllers are. */
export const account = 'system:serviceaccount:arc-system:arc-controller-manager';
/** In the Secret of the source. */
export const password = 'correct-horse-battery';
const apiVersion = 'arc.opendefense.cloud/v1alpha1';

interface Supplied {
  /** May do everything. */
  readonly client: KubeClient;
}

const template = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ClusterWorkflowTemplate',
  metadata: { name: 'copy' },
  spec: {
    entrypoint: 'main',
    arguments: { parameters: [{ name: 'specImage' }] },
    templates: [{ name: 'main', container: { image: 'worker', command: ['copy'], args: ['{{workflow.parameters.specImage}}'] } }],
  },
};
const type = {
  ...{ apiVersion, kind: 'ClusterArtifactType', metadata: { name: 'oci' } },
  spec: { workflowTemplateRef: { name: 'copy', clusterScope: true }, renderConfig: true },
};

function endpoint(name: string, secret?: string): KubeObject {
  const spec = { type: 'oci', remoteURL: 'https://127.0.0.1:1', ...(secret !== undefined && { secretRef: { name: secret } }) };
  return { apiVersion, kind: 'Endpoint', metadata: { name, namespace: tenant }, ...{ spec } };
}

/** An Order from `src` to `dst` with one artifact for each image. */
export function order(name: string, images: readonly string[], spec: object = {}): KubeObject {
  const artifacts = images.map((image) => ({ type: 'oci', spec: { image } }));
  return {
    ...{ apiVersion, kind: 'Order', metadata: { name, namespace: tenant } },
    ...{ spec: { defaults: { srcRef: { name: 'src' }, dstRef: { name: 'dst' } }, artifacts, ...spec } },
  };
}

/** What there is to order from, to and with. */
export async function supply({ client }: Supplied): Promise<void> {
  await client.create<KubeObject>(clusterWorkflowTemplates, template);
  await client.create<KubeObject>(clusterArtifactTypes, type);
  const stringData = { username: 'robot', password };
  await client.create<KubeObject>(secrets, {
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login', namespace: tenant } },
    ...{ stringData },
  });
  await client.create(endpoints, endpoint('src', 'login'));
  await client.create(endpoints, endpoint('dst'));
}

export const ref = (name: string): { readonly namespace: string; readonly name: string } => ({ namespace: tenant, name });

/** Waits until an Order is in a phase. */
export function phaseOf({ client }: Supplied, name: string, wanted: string): Promise<Order> {
  let seen: unknown;
  return eventually(
    async () => {
      const found = await client.get<Order>(orders, ref(name));
      seen = found.status;
      return found.status?.phase === wanted ? found : undefined;
    },
    { what: `phase ${wanted} of ${name}` },
  ).catch((error: unknown) => {
    throw new Error(`${name} never became ${wanted}: ${JSON.stringify(seen)}`, { cause: error });
  });
}

/** The ArtifactWorkflows of an Order. */
export function runsOf({ client }: Supplied, name: string): Promise<readonly ArtifactWorkflow[]> {
  return client
    .list<ArtifactWorkflow>(artifactWorkflows, { namespace: tenant })
    .then(({ items }) => items.filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.name === name)));
}
