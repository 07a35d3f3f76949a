import type { KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { protobufBodies } from '../core/protobuf-bodies.ts';
import { bindingColumns, bindingSchema, bindingStrategy } from './binding.ts';
import { rbacApiVersion, rbacGroup, rbacVersion } from './group.ts';

export interface ClusterRoleBinding extends KubeObject, Static<typeof bindingSchema> {}

export const clusterRoleBindings: ResourceType = {
  group: rbacGroup,
  version: rbacVersion,
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
};

export const clusterRoleBindingDefinition: KindDefinition<ClusterRoleBinding> = {
  group: rbacGroup,
  version: rbacVersion,
  kind: 'ClusterRoleBinding',
  names: { plural: 'clusterrolebindings', singular: 'clusterrolebinding' },
  scope: 'Cluster',
  description: 'ClusterRoleBinding gives the rights of a ClusterRole in all namespaces and outside of them.',
  schema: bindingSchema,
  strategy: bindingStrategy('Cluster'),
  columns: bindingColumns,
  strategicMergePatch: true,
  ...protobufBodies(rbacApiVersion, 'ClusterRoleBinding'),
};
