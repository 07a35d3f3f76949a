import type { AnyArtifactType, ArtifactWorkflow, Endpoint, Order } from '@arc/api/arc';
import { artifactTypes, artifactWorkflows, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { CronWorkflow, Workflow } from '@arc/api/argo';
import { cronWorkflows, workflows } from '@arc/api/argo';
import { namespaces, pods, secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import type { KubeObject, ResourceType } from '@arc/apimachinery';
import type { KubeClient } from '@arc/kube-client';

/** All that is stored, read kind by kind. */
export interface Stored {
  readonly orders: readonly Order[];
  readonly runs: readonly ArtifactWorkflow[];
  readonly endpoints: readonly Endpoint[];
  readonly secrets: readonly Secret[];
  readonly types: readonly AnyArtifactType[];
  readonly clusterTypes: readonly AnyArtifactType[];
  readonly workflows: readonly Workflow[];
  readonly cronWorkflows: readonly CronWorkflow[];
  readonly namespaces: readonly KubeObject[];
  readonly pods: readonly KubeObject[];
}

export async function readStored(client: KubeClient): Promise<Stored> {
  const all = async <T extends KubeObject>(type: ResourceType): Promise<readonly T[]> =>
    (await client.list<T>(type)).items.map((object) => ({ ...object, kind: type.kind }));
  return {
    orders: await all<Order>(orders),
    runs: await all<ArtifactWorkflow>(artifactWorkflows),
    endpoints: await all<Endpoint>(endpoints),
    secrets: await all<Secret>(secrets),
    types: await all<AnyArtifactType>(artifactTypes),
    clusterTypes: await all<AnyArtifactType>(clusterArtifactTypes),
    workflows: await all<Workflow>(workflows),
    cronWorkflows: await all<CronWorkflow>(cronWorkflows),
    namespaces: await all(namespaces),
    pods: await all(pods),
  };
}

export function named<T extends KubeObject>(objects: readonly T[], namespace: string | undefined, name: string | undefined): T | undefined {
  return objects.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
}

export function titleOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
}
