import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterRoleBindingDefinition } from './cluster-role-binding.ts';
import type { ClusterRole } from './cluster-role.ts';
import { clusterRoleDefinition } from './cluster-role.ts';
import type { PolicyRule } from './policy-rule.ts';
import type { RoleBinding } from './role-binding.ts';
import { roleBindingDefinition } from './role-binding.ts';
import { roleDefinition } from './role.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';

function ruleErrors(rule: PolicyRule, kind: 'Role' | 'ClusterRole'): string[] {
  const object = { apiVersion, kind, metadata: { name: 'r' }, rules: [rule] };
  const { strategy } = kind === 'Role' ? roleDefinition : clusterRoleDefinition;
  return (strategy?.validate?.(object) ?? []).map(({ field, message }) => `${field}: ${message}`);
}

function binding(fields: Partial<RoleBinding> = {}): RoleBinding {
  return {
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name: 'b', namespace: 'ns' },
    subjects: [{ kind: 'User', name: 'jane' }],
    roleRef: { kind: 'ClusterRole', name: 'edit' },
    ...fields,
  };
}

function bindingErrors(object: RoleBinding, { strategy } = roleBindingDefinition): string[] {
  strategy?.prepareForCreate?.(object);
  return (strategy?.validate?.(object) ?? []).map(({ field, message }) => `${field}: ${message}`);
}

test('a rule names verbs, and either resources with their groups or paths', () => {
  assert.deepEqual(ruleErrors({ verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] }, 'Role'), []);
  assert.deepEqual(ruleErrors({ verbs: ['get'], nonResourceURLs: ['/healthz'] }, 'ClusterRole'), []);
  assert.deepEqual(ruleErrors({ verbs: [] }, 'Role'), [
    'rules[0].verbs: Required value: verbs must contain at least one value',
    'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
    'rules[0].resources: Required value: resource rules must supply at least one resource',
  ]);
  assert.deepEqual(ruleErrors({ verbs: ['get'], nonResourceURLs: ['/x'], resources: ['pods'] }, 'Role'), [
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
  ]);
});

test('an aggregated role selects something', () => {
  const role: ClusterRole = { apiVersion, kind: 'ClusterRole', metadata: { name: 'r' }, aggregationRule: { clusterRoleSelectors: [] } };
  assert.deepEqual(
    clusterRoleDefinition.strategy?.validate?.(role).map(({ field }) => field),
    ['aggregationRule.clusterRoleSelectors'],
  );
});

test('groups of subjects and roleRef are filled in, wrong ones refused', () => {
  const filled = binding({
    subjects: [
      { kind: 'Group', name: 'dev' },
      { kind: 'ServiceAccount', name: 'bot' },
    ],
  });
  assert.deepEqual(bindingErrors(filled), []);
  assert.equal(filled.roleRef.apiGroup, 'rbac.authorization.k8s.io');
  assert.deepEqual(
    filled.subjects?.map(({ apiGroup }) => apiGroup),
    ['rbac.authorization.k8s.io', undefined],
  );
  assert.deepEqual(bindingErrors(binding({ roleRef: { apiGroup: 'x', kind: 'Y', name: 'a/b' } })), [
    'roleRef.apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"',
    'roleRef.kind: Unsupported value: "Y": supported values: "Role", "ClusterRole"',
    `roleRef.name: Invalid value: "a/b": may not contain '/'`,
  ]);
  assert.deepEqual(bindingErrors(binding({ subjects: [{ kind: 'Robot', name: '' }] })), [
    'subjects[0].name: Required value',
    'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
  ]);
});

test('outside of namespaces a binding gives ClusterRoles, and service accounts need their namespace', () => {
  const object = binding({ roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'ServiceAccount', name: 'bot' }] });
  assert.deepEqual(bindingErrors(object, clusterRoleBindingDefinition), [
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
    'subjects[0].namespace: Required value',
  ]);
});

test('the role of a binding cannot be changed', () => {
  const change = roleBindingDefinition.strategy?.validateUpdate?.(binding({ roleRef: { kind: 'Role', name: 'x' } }), binding()) ?? [];
  assert.deepEqual(
    change.map(({ field, message }) => `${field}: ${message}`),
    ['roleRef: Invalid value: {"kind":"Role","name":"x"}: cannot change roleRef'],
  );
  assert.deepEqual(roleBindingDefinition.strategy?.validateUpdate?.(binding(), binding()), []);
});

test('columns as kubectl prints them', () => {
  const titles = (columns: readonly { name: string; priority?: number }[]): string[] =>
    columns.map(({ name, priority = 0 }) => `${name} ${priority}`);
  assert.deepEqual(titles(roleDefinition.columns ?? []), ['Created At 0']);
  assert.deepEqual(titles(roleBindingDefinition.columns ?? []), ['Role 0', 'Age 0', 'Users 1', 'Groups 1', 'ServiceAccounts 1']);
  const object = binding({
    subjects: [
      { kind: 'User', name: 'a' },
      { kind: 'User', name: 'b' },
      { kind: 'ServiceAccount', name: 'bot' },
    ],
  });
  const cells = roleBindingDefinition.columns?.map(({ value }) => value(object));
  assert.deepEqual(cells, ['ClusterRole/edit', undefined, 'a, b', '', 'ns/bot']);
});
