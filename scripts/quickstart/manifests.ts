import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { decodeYamlDocuments } from '@arc/apimachinery';
import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { clusterArtifactTypes, endpoints } from '@arc/api/arc';
import { clusterWorkflowTemplates } from '@arc/api/argo';
import type { KubeClient } from '@arc/kube-client';

const folder = fileURLToPath(new URL('../../examples/oci/', import.meta.url));

/** What has to exist before an Order can be placed, in the order it is applied in. */
export const preparation = ['cluster-workflow-template.yaml', 'artifact-type.yaml', 'endpoints.yaml'] as const;
export const orderFile = `${folder}order.yaml`;

const resourceOf: Readonly<Record<string, ResourceType>> = {
  ClusterWorkflowTemplate: clusterWorkflowTemplates,
  ClusterArtifactType: clusterArtifactTypes,
  Endpoint: endpoints,
};

/**
 * Creates the objects of one file of `examples/oci/`. Endpoints get the addresses of the registries that are running now, by
 * their name, in place of the ones written in the file.
 */
export async function applyExample(client: KubeClient, file: string, urls: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const created: string[] = [];
  for (const document of decodeYamlDocuments(await readFile(`${folder}${file}`, 'utf8'))) {
    const object = document.value as KubeObject & { spec: { remoteURL?: string } };
    const type = resourceOf[object.kind];
    const name = object.metadata.name ?? '';
    if (type === undefined) throw new Error(`${file}: the quickstart does not know the kind ${object.kind}`);
    if (type.namespaced) object.metadata.namespace = 'default';
    const url = urls[name];
    if (object.kind === 'Endpoint' && url !== undefined) object.spec.remoteURL = url;
    await client.create(type, object);
    created.push(`${object.kind.toLowerCase()}/${name}`);
  }
  return created;
}
