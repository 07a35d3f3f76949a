import type { KindDefinition } from '@arc/apimachinery';
import { clusterRoleBindingDefinition } from './cluster-role-binding.ts';
import { clusterRoleDefinition } from './cluster-role.ts';
import { roleBindingDefinition } from './role-binding.ts';
import { roleDefinition } from './role.ts';

/** The kinds of `rbac.authorization.k8s.io/v1`. A server that is given them evaluates them. */
export const rbacKinds: readonly KindDefinition[] = [
  roleDefinition,
  clusterRoleDefinition,
  roleBindingDefinition,
  clusterRoleBindingDefinition,
];
