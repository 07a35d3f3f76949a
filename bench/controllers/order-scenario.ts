import type { ClusterArtifactType, Endpoint } from '@arc/api/arc';
import { clusterArtifactTypes, endpoints } from '@arc/api/arc';
import { clusterWorkflowTemplates } from '@arc/api/argo';
import { secrets, type Secret } from '@arc/api/core';
import type { KubeObject } from '@arc/apimachinery';
import type { KubeClient } from '@arc/kube-client';
import { templateOf, type ObjectTemplate } from '../load/object-template.ts';
import { namespace } from '../server/order-sample.ts';

export const artifactsPerOrder = 3;
const typeName = 'bench';
const sourceName = 'upstream-registry';
const secretName = 'credentials';
const templateName = 'bench-pipeline';

/** The name of the destination that so many Orders share whose Endpoint is to be changed. */
export function destinationOf(orders: number): string {
  return `destination-of-${orders}`;
}

/** The name of the destination of all other Orders: there may be as many as of those that are to be changed. */
export const destinationOfTheRest = 'destination-of-the-rest';

/** Orders of three artifacts to one destination. */
export function orderTo(destination: string): ObjectTemplate {
  const artifact = (index: number): object => ({
    type: typeName,
    spec: { image: `registry.example.com/team-${index}/component-${index}@sha256:@@DIGEST@@` },
  });
  const spec = {
    defaults: { srcRef: { name: sourceName }, dstRef: { name: destination } },
    artifacts: Array.from({ length: artifactsPerOrder }, (_, index) => artifact(index)),
  };
  return templateOf({ apiVersion: 'arc.opendefense.cloud/v1alpha1', kind: 'Order', spec }, namespace);
}

/** Creates what the Orders refer to: Endpoints with credentials, a type, and a pipeline of one step. */
export async function installScenario(client: KubeClient, destinations: readonly string[]): Promise<void> {
  const data = { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: {} })).toString('base64') };
  const credentials: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: secretName }, data };
  await client.create(secrets, credentials);
  for (const name of [sourceName, ...destinations]) await client.create(endpoints, endpoint(name));
  await client.create(clusterWorkflowTemplates, pipeline());
  const type: ClusterArtifactType = {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ClusterArtifactType',
    metadata: { name: typeName },
    spec: { workflowTemplateRef: { name: templateName } },
  };
  await client.create(clusterArtifactTypes, type);
}

/** Moves a destination, so that whatever goes there has to be transferred again. */
export async function moveDestination(client: KubeClient, name: string): Promise<number> {
  const moved = await client.patch<Endpoint>(endpoints, { namespace, name }, { spec: { remoteURL: `https://moved.${name}.example.com` } });
  return moved.metadata.generation ?? 0;
}

function endpoint(name: string): Endpoint {
  return {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Endpoint',
    metadata: { namespace, name },
    spec: { type: 'oci', remoteURL: `https://${name}.example.com`, secretRef: { name: secretName } },
  };
}

function pipeline(): KubeObject {
  const container = {
    image: 'bench.example.com/worker:1',
    command: ['worker'],
    args: ['{{workflow.parameters.specJSON}}'],
    volumeMounts: ['src-secret-vol', 'dst-secret-vol'].map((name) => ({ name, mountPath: `/${name}` })),
  };
  const spec = { entrypoint: 'transfer', templates: [{ name: 'transfer', container }] };
  return { apiVersion: 'argoproj.io/v1alpha1', kind: 'ClusterWorkflowTemplate', metadata: { name: templateName }, spec } as KubeObject;
}
