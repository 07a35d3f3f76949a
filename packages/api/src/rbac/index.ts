export {
  aggregatedServerRules,
  controllerRules,
  leaderElectionRules,
  ownerReferenceRules,
  quotaRules,
  userRules,
  workflowRules,
} from './arc-rules.ts';
export { clusterRoleBindingDefinition, clusterRoleBindings } from './cluster-role-binding.ts';
export type { ClusterRoleBinding } from './cluster-role-binding.ts';
export { clusterRoleDefinition, clusterRoles } from './cluster-role.ts';
export type { ClusterRole } from './cluster-role.ts';
export { defaultClusterRoleBindings } from './default-cluster-role-bindings.ts';
export { defaultClusterRoles } from './default-cluster-roles.ts';
export { aggregationLabelPrefix, autoupdateAnnotation, rbacApiVersion, rbacGroup } from './group.ts';
export { rbacKinds } from './kinds.ts';
export type { PolicyRule } from './policy-rule.ts';
export { roleBindingDefinition, roleBindings } from './role-binding.ts';
export type { RoleBinding } from './role-binding.ts';
export { roleDefinition, roles } from './role.ts';
export type { Role } from './role.ts';
