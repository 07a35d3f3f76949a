import { controllerRules, engineRules, leaderElectionRules, userRules } from './arc-rules.ts';
import { aggregationLabelPrefix, autoupdateAnnotation, rbacApiVersion } from './group.ts';
import type { ClusterRole } from './cluster-role.ts';
import type { PolicyRule } from './policy-rule.ts';

const read = ['get', 'list', 'watch'];
const write = ['create', 'delete', 'deletecollection', 'patch', 'update'];

const health = ['/healthz', '/livez', '/readyz', '/version', '/version/'];
const discovery = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*'];

function rule(apiGroup: string, resources: readonly string[], verbs: readonly string[]): PolicyRule {
  return { apiGroups: [apiGroup], resources: [...resources], verbs: [...verbs] };
}

function paths(...nonResourceURLs: string[]): PolicyRule {
  return { nonResourceURLs, verbs: ['get'] };
}

function clusterRole(name: string, rules: PolicyRule[], partOf?: 'admin' | 'edit' | 'view'): ClusterRole {
  return {
    apiVersion: rbacApiVersion,
    kind: 'ClusterRole',
    metadata: {
      name,
      labels: { ...bootstrapLabels, ...(partOf !== undefined && { [`${aggregationLabelPrefix}${partOf}`]: 'true' }) },
      annotations: { [autoupdateAnnotation]: 'true' },
    },
    rules,
  };
}

export const bootstrapLabels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };

/** A role whose rules a controller gathers from those with its label. */
function aggregated(name: 'admin' | 'edit' | 'view', partOf?: 'admin' | 'edit'): ClusterRole {
  const { rules: _gathered, ...role } = clusterRole(name, [], partOf);
  return { ...role, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [`${aggregationLabelPrefix}${name}`]: 'true' } }] } };
}

/** For users; named and cut as in a cluster. */
function userRoles(): ClusterRole[] {
  return [
    clusterRole('cluster-admin', [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ]),
    aggregated('admin'),
    aggregated('edit', 'admin'),
    aggregated('view', 'edit'),
    clusterRole(
      'system:aggregate-to-admin',
      [
        rule('rbac.authorization.k8s.io', ['rolebindings', 'roles'], [...read, ...write]),
        rule('authorization.k8s.io', ['localsubjectaccessreviews'], ['create']),
      ],
      'admin',
    ),
    clusterRole(
      'system:aggregate-to-edit',
      [
        rule('', ['secrets'], read),
        rule('', ['configmaps', 'secrets', 'serviceaccounts'], write),
        rule('', ['serviceaccounts'], ['impersonate']),
      ],
      'edit',
    ),
    clusterRole(
      'system:aggregate-to-view',
      [
        rule('', ['configmaps', 'events', 'namespaces', 'namespaces/status', 'pods', 'pods/log', 'pods/status', 'serviceaccounts'], read),
        rule('events.k8s.io', ['events'], read),
      ],
      'view',
    ),
    clusterRole('arc:aggregate-to-edit', [...userRules.edit], 'edit'),
    clusterRole('arc:aggregate-to-view', [...userRules.view], 'view'),
    // Not part of `edit`: where ARC is embedded, steps run as programs of the server's own user.
    clusterRole('arc:workflow-author', [...userRules.workflowAuthor]),
    clusterRole('arc:catalog-viewer', [...userRules.catalogViewer]),
    clusterRole('system:discovery', [paths(...discovery, ...health)]),
    clusterRole('system:public-info-viewer', [paths(...health)]),
    clusterRole('system:basic-user', [
      rule('authorization.k8s.io', ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], ['create']),
      rule('authentication.k8s.io', ['selfsubjectreviews'], ['create']),
    ]),
    clusterRole('system:auth-delegator', [
      rule('authentication.k8s.io', ['tokenreviews'], ['create']),
      rule('authorization.k8s.io', ['subjectaccessreviews'], ['create']),
    ]),
  ];
}

/** For the parts of ARC itself: what each of them does, and nothing else. */
function systemRoles(): ClusterRole[] {
  return [
    clusterRole('system:arc', [...controllerRules, ...leaderElectionRules, ...engineRules]),
    clusterRole('system:arc-standalone', [
      rule('*', ['*'], [...read, 'patch', 'delete', 'deletecollection']),
      rule('', ['namespaces/finalize'], ['update']),
      rule('rbac.authorization.k8s.io', ['clusterroles'], ['escalate']),
    ]),
  ];
}

/** The ClusterRoles a standalone server creates and keeps up to date. */
export function defaultClusterRoles(): readonly ClusterRole[] {
  return [...userRoles(), ...systemRoles()];
}
