import type { ClusterRoleBinding } from './cluster-role-binding.ts';
import { bootstrapLabels } from './default-cluster-roles.ts';
import { autoupdateAnnotation, rbacApiVersion, rbacGroup } from './group.ts';

function clusterRoleBinding(role: string, kind: 'User' | 'Group', ...names: readonly string[]): ClusterRoleBinding {
  return {
    apiVersion: rbacApiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name: role, labels: bootstrapLabels, annotations: { [autoupdateAnnotation]: 'true' } },
    subjects: names.map((name) => ({ apiGroup: rbacGroup, kind, name })),
    roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: role },
  };
}

/** The ClusterRoleBindings a standalone server creates and keeps up to date. */
export function defaultClusterRoleBindings(): readonly ClusterRoleBinding[] {
  return [
    clusterRoleBinding('cluster-admin', 'Group', 'system:masters'),
    clusterRoleBinding('system:discovery', 'Group', 'system:authenticated'),
    clusterRoleBinding('system:basic-user', 'Group', 'system:authenticated'),
    clusterRoleBinding('system:public-info-viewer', 'Group', 'system:authenticated', 'system:unauthenticated'),
    clusterRoleBinding('arc:catalog-viewer', 'Group', 'system:authenticated'),
    clusterRoleBinding('system:arc', 'User', 'system:arc'),
    clusterRoleBinding('system:arc-standalone', 'User', 'system:arc-standalone'),
  ];
}
