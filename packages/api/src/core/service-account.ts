import { s } from '@arc/apimachinery';
import type { KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { ageColumn } from './columns.ts';
import { localObjectReference, objectReference } from './object-reference.ts';
import { protobufBodies } from './protobuf-bodies.ts';

const serviceAccountSchema = s.object({
  automountServiceAccountToken: s.optional(s.boolean({ description: 'Whether steps get a token of this account.' })),
  imagePullSecrets: s.optional(
    s.array(localObjectReference, {
      description: 'Secrets with credentials for pulling images.',
      'x-kubernetes-list-type': 'atomic',
    }),
  ),
  secrets: s.optional(
    s.listMap(objectReference('A Secret of this account.'), ['name'], {
      description: 'Secrets that steps of this account may use.',
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'name',
    }),
  ),
});

export interface ServiceAccount extends KubeObject, Static<typeof serviceAccountSchema> {}

export const serviceAccounts: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
};

export const serviceAccountDefinition: KindDefinition<ServiceAccount> = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  names: { plural: 'serviceaccounts', singular: 'serviceaccount', shortNames: ['sa'] },
  scope: 'Namespaced',
  description: 'ServiceAccount is an identity for programs.',
  schema: serviceAccountSchema,
  strategy: { allowUnconditionalUpdate: true },
  columns: [
    { name: 'Secrets', type: 'integer', description: 'How many Secrets it names.', value: (account) => account.secrets?.length ?? 0 },
    ageColumn,
  ],
  strategicMergePatch: true,
  ...protobufBodies('v1', 'ServiceAccount'),
};
