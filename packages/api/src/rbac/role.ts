import { s } from '@arc/apimachinery';
import type { KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { protobufBodies } from '../core/protobuf-bodies.ts';
import { rbacApiVersion, rbacGroup, rbacVersion } from './group.ts';
import { policyRuleErrors, policyRules } from './policy-rule.ts';
import { createdAtColumn } from './role-columns.ts';

const roleSchema = s.object({ rules: policyRules });

export interface Role extends KubeObject, Static<typeof roleSchema> {}

export const roles: ResourceType = { group: rbacGroup, version: rbacVersion, plural: 'roles', kind: 'Role', namespaced: true };

export const roleDefinition: KindDefinition<Role> = {
  group: rbacGroup,
  version: rbacVersion,
  kind: 'Role',
  names: { plural: 'roles', singular: 'role' },
  scope: 'Namespaced',
  description: 'Role is a set of rights in a namespace, which a RoleBinding gives to users, groups and service accounts.',
  schema: roleSchema,
  strategy: {
    nameRule: 'path-segment',
    allowUnconditionalUpdate: true,
    validate: ({ rules }) => policyRuleErrors(rules, true),
  },
  columns: [createdAtColumn],
  strategicMergePatch: true,
  ...protobufBodies(rbacApiVersion, 'Role'),
};
