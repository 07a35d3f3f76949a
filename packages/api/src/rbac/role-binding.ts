import type { KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { protobufBodies } from '../core/protobuf-bodies.ts';
import { bindingColumns, bindingSchema, bindingStrategy } from './binding.ts';
import { rbacApiVersion, rbacGroup, rbacVersion } from './group.ts';

export interface RoleBinding extends KubeObject, Static<typeof bindingSchema> {}

export const roleBindings: ResourceType = {
  group: rbacGroup,
  version: rbacVersion,
  plural: 'rolebindings',
  kind: 'RoleBinding',
  namespaced: true,
};

export const roleBindingDefinition: KindDefinition<RoleBinding> = {
  group: rbacGroup,
  version: rbacVersion,
  kind: 'RoleBinding',
  names: { plural: 'rolebindings', singular: 'rolebinding' },
  scope: 'Namespaced',
  description: 'RoleBinding gives the rights of a Role or ClusterRole in its namespace.',
  schema: bindingSchema,
  strategy: bindingStrategy('Namespaced'),
  columns: bindingColumns,
  strategicMergePatch: true,
  ...protobufBodies(rbacApiVersion, 'RoleBinding'),
};
