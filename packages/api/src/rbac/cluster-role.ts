import { fieldError, s } from '@arc/apimachinery';
import type { FieldError, KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { protobufBodies } from '../core/protobuf-bodies.ts';
import { rbacApiVersion, rbacGroup, rbacVersion } from './group.ts';
import { policyRuleErrors, policyRules } from './policy-rule.ts';
import { createdAtColumn } from './role-columns.ts';

const labelSelector = s.object(
  {
    matchLabels: s.optional(s.map(s.string(), { description: 'Labels that must have these values.' })),
    matchExpressions: s.optional(
      s.array(
        s.object({
          key: s.string({ description: 'Key of the label.' }),
          operator: s.literals(['In', 'NotIn', 'Exists', 'DoesNotExist'], { description: 'How the values are meant.' }),
          values: s.optional(s.array(s.string(), { description: 'For In and NotIn.', 'x-kubernetes-list-type': 'atomic' })),
        }),
        { description: 'Requirements that must all hold.', 'x-kubernetes-list-type': 'atomic' },
      ),
    ),
  },
  { 'x-kubernetes-map-type': 'atomic' },
);

const clusterRoleSchema = s.object({
  rules: policyRules,
  aggregationRule: s.optional(
    s.object(
      {
        clusterRoleSelectors: s.optional(
          s.array(labelSelector, {
            description: 'The rules of ClusterRoles that match one of these become the rules of this one.',
            'x-kubernetes-list-type': 'atomic',
          }),
        ),
      },
      { description: 'Lets a controller fill in the rules from other ClusterRoles.' },
    ),
  ),
});

export interface ClusterRole extends KubeObject, Static<typeof clusterRoleSchema> {}

export const clusterRoles: ResourceType = {
  group: rbacGroup,
  version: rbacVersion,
  plural: 'clusterroles',
  kind: 'ClusterRole',
  namespaced: false,
};

export const clusterRoleDefinition: KindDefinition<ClusterRole> = {
  group: rbacGroup,
  version: rbacVersion,
  kind: 'ClusterRole',
  names: { plural: 'clusterroles', singular: 'clusterrole' },
  scope: 'Cluster',
  description: 'ClusterRole is a set of rights, given in one namespace by a RoleBinding and everywhere by a ClusterRoleBinding.',
  schema: clusterRoleSchema,
  strategy: {
    nameRule: 'path-segment',
    allowUnconditionalUpdate: true,
    validate: (role) => [...policyRuleErrors(role.rules, false), ...aggregationErrors(role)],
  },
  columns: [createdAtColumn],
  strategicMergePatch: true,
  ...protobufBodies(rbacApiVersion, 'ClusterRole'),
};

function aggregationErrors({ aggregationRule }: ClusterRole): FieldError[] {
  if (aggregationRule === undefined || (aggregationRule.clusterRoleSelectors?.length ?? 0) > 0) return [];
  const detail = 'at least one clusterRoleSelector required if aggregationRule is non-nil';
  return [fieldError.required('aggregationRule.clusterRoleSelectors', detail)];
}
