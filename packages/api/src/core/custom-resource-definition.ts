import { s } from '@arc/apimachinery';
import type { KindDefinition } from '@arc/apimachinery';

/**
 * Kinds are part of the server, so there are never any objects of this one. It is there to be listed: before kubectl says that a
 * kind does not exist, it asks whether a CustomResourceDefinition for it does.
 */
export const customResourceDefinitionDefinition: KindDefinition = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  names: { plural: 'customresourcedefinitions', singular: 'customresourcedefinition', shortNames: ['crd', 'crds'] },
  scope: 'Cluster',
  description: 'CustomResourceDefinition adds a kind to a cluster. This server takes none, so the list is always empty.',
  schema: s.object({ spec: s.freeForm({ description: 'The kind to add.' }) }),
  verbs: ['get', 'list', 'watch'],
};
