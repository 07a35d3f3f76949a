import type { KubeObject } from '@arc/apimachinery';
import {
  aggregatedServerRules,
  controllerRules,
  kueueRules,
  leaderElectionRules,
  ownerReferenceRules,
  quotaRules,
  servingCertificateRules,
  userRules,
  workflowRules,
} from './arc-rules.ts';
import type { ClusterRoleBinding } from './cluster-role-binding.ts';
import type { ClusterRole } from './cluster-role.ts';
import { aggregationLabelPrefix, rbacApiVersion, rbacGroup } from './group.ts';
import type { PolicyRule } from './policy-rule.ts';
import type { RoleBinding } from './role-binding.ts';
import type { Role } from './role.ts';

/** The service accounts of ARC's parts, in the namespace it is installed in. */
export const installedAccounts = { apiserver: 'arc-apiserver', controllerManager: 'arc-controller-manager' } as const;

/** The service account of the pods of Workflows, in each namespace with Orders. */
export const workflowAccount = 'arc-workflow';

type Account = (typeof installedAccounts)[keyof typeof installedAccounts];
type Subjects = NonNullable<RoleBinding['subjects']>;
type RoleRef = Pick<RoleBinding['roleRef'], 'kind' | 'name'>;

/** All that ARC's parts may do in a cluster, and what users get with its roles `admin`, `edit` and `view`. */
export function installationRbac(namespace: string): readonly KubeObject[] {
  const { apiserver, controllerManager } = installedAccounts;
  const to = (...accounts: readonly Account[]): Subjects => accounts.map((name) => ({ kind: 'ServiceAccount', name, namespace }));
  const everybody = [{ apiGroup: rbacGroup, kind: 'Group' as const, name: 'system:authenticated' }];
  return [
    serviceAccount(apiserver, namespace),
    serviceAccount(controllerManager, namespace),
    clusterRole(apiserver, [...aggregatedServerRules, ...quotaRules, ...servingCertificateRules.cluster]),
    clusterRoleBinding(apiserver, apiserver, to(apiserver)),
    // Both ask the API server of the cluster who a token belongs to, and what its bearer may do.
    clusterRoleBinding('arc:auth-delegator', 'system:auth-delegator', to(apiserver, controllerManager)),
    roleBinding(
      { name: apiserver, namespace: 'kube-system' },
      { kind: 'Role', name: 'extension-apiserver-authentication-reader' },
      to(apiserver),
    ),
    role({ name: apiserver, namespace }, servingCertificateRules.namespaced),
    roleBinding({ name: apiserver, namespace }, { kind: 'Role', name: apiserver }, to(apiserver)),
    clusterRole(controllerManager, [...controllerRules, ...ownerReferenceRules]),
    clusterRoleBinding(controllerManager, controllerManager, to(controllerManager)),
    role({ name: 'arc-leader-election', namespace }, leaderElectionRules),
    roleBinding({ name: 'arc-leader-election', namespace }, { kind: 'Role', name: 'arc-leader-election' }, to(controllerManager)),
    clusterRole('arc:metrics-reader', [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }]),
    clusterRole('arc:aggregate-to-edit', userRules.edit, 'edit'),
    clusterRole('arc:aggregate-to-view', userRules.view, 'view'),
    clusterRole('arc:workflow-author', userRules.workflowAuthor),
    clusterRole('arc:catalog-viewer', userRules.catalogViewer),
    clusterRoleBinding('arc:catalog-viewer', 'arc:catalog-viewer', everybody),
    clusterRole('arc:workflow', workflowRules),
  ];
}

/** What the controllers may do in addition when they are told `--kueue workloads`. */
export function kueueRbac(namespace: string): readonly KubeObject[] {
  const subjects: Subjects = [{ kind: 'ServiceAccount', name: installedAccounts.controllerManager, namespace }];
  return [clusterRole('arc:kueue', kueueRules), clusterRoleBinding('arc:kueue', 'arc:kueue', subjects)];
}

/** What a namespace needs in which Orders are to be carried out: the account of the pods of its Workflows. */
export function tenantRbac(namespace: string): readonly KubeObject[] {
  return [
    serviceAccount(workflowAccount, namespace),
    roleBinding({ name: workflowAccount, namespace }, { kind: 'ClusterRole', name: 'arc:workflow' }, [
      { kind: 'ServiceAccount', name: workflowAccount, namespace },
    ]),
  ];
}

const labels = { 'app.kubernetes.io/part-of': 'arc' };

function serviceAccount(name: string, namespace: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace, labels } };
}

function clusterRole(name: string, rules: readonly PolicyRule[], partOf?: 'edit' | 'view'): ClusterRole {
  return {
    apiVersion: rbacApiVersion,
    kind: 'ClusterRole',
    metadata: { name, labels: { ...labels, ...(partOf !== undefined && { [`${aggregationLabelPrefix}${partOf}`]: 'true' }) } },
    rules: [...rules],
  };
}

function role(metadata: { readonly name: string; readonly namespace: string }, rules: readonly PolicyRule[]): Role {
  return { apiVersion: rbacApiVersion, kind: 'Role', metadata: { ...metadata, labels }, rules: [...rules] };
}

function clusterRoleBinding(name: string, roleName: string, subjects: Subjects): ClusterRoleBinding {
  return {
    apiVersion: rbacApiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels },
    subjects,
    roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: roleName },
  };
}

function roleBinding(metadata: { readonly name: string; readonly namespace: string }, roleRef: RoleRef, subjects: Subjects): RoleBinding {
  return {
    apiVersion: rbacApiVersion,
    kind: 'RoleBinding',
    metadata: { ...metadata, labels },
    subjects,
    roleRef: { apiGroup: rbacGroup, ...roleRef },
  };
}
