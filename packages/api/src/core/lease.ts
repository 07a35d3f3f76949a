import { fieldError, s } from '@arc/apimachinery';
import type { KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { ageColumn } from './columns.ts';
import { protobufBodies } from './protobuf-bodies.ts';

const leaseSchema = s.object({
  spec: s.optional(
    s.object(
      {
        holderIdentity: s.optional(s.string({ description: 'Who holds the lease.' })),
        leaseDurationSeconds: s.optional(s.integer({ format: 'int32', description: 'How long others wait after the last renewal.' })),
        acquireTime: s.optional(s.time({ description: 'When the holder got the lease.' })),
        renewTime: s.optional(s.time({ description: 'When the holder last renewed it.' })),
        leaseTransitions: s.optional(s.integer({ format: 'int32', description: 'How often the holder changed.' })),
        strategy: s.optional(s.string({ description: 'How the next holder is chosen, when that is coordinated.' })),
        preferredHolder: s.optional(s.string({ description: 'Who should take the lease next.' })),
      },
      { description: 'Who holds the lease and for how long.' },
    ),
  ),
});

export interface Lease extends KubeObject, Static<typeof leaseSchema> {}

export const leases: ResourceType = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true };

export const leaseDefinition: KindDefinition<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  names: { plural: 'leases', singular: 'lease' },
  scope: 'Namespaced',
  description: 'Lease says which of several candidates is in charge.',
  schema: leaseSchema,
  strategy: {
    validate({ spec }) {
      const { leaseDurationSeconds, leaseTransitions } = spec ?? {};
      return [
        ...(leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0
          ? [fieldError.invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0')]
          : []),
        ...(leaseTransitions !== undefined && leaseTransitions < 0
          ? [fieldError.invalid('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0')]
          : []),
      ];
    },
  },
  columns: [
    { name: 'Holder', type: 'string', description: 'Who holds the lease.', value: (lease) => lease.spec?.holderIdentity },
    ageColumn,
  ],
  strategicMergePatch: true,
  ...protobufBodies('coordination.k8s.io/v1', 'Lease'),
};
