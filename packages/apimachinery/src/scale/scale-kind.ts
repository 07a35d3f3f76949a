import type { KindDefinition } from '../kind/kind.ts';
import type { KubeObject } from '../meta/types.ts';
import { s } from '../schema/builder.ts';
import type { Static } from '../schema/builder.ts';

const scaleSchema = s.object({
  spec: s.optional(
    s.object({
      replicas: s.optional(s.integer({ format: 'int32', description: 'The number of instances wanted.' })),
    }),
  ),
  status: s.optional(
    s.object({
      replicas: s.optional(s.integer({ format: 'int32', description: 'The number of instances observed.' })),
      selector: s.optional(s.string({ description: 'The label selector of the instances, as text.' })),
    }),
  ),
});

export interface Scale extends KubeObject, Static<typeof scaleSchema> {}

/** What `/scale` of any kind is read and written as. It is never stored. */
export const scaleKind: KindDefinition<Scale> = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  names: { plural: 'scales', singular: 'scale' },
  scope: 'Namespaced',
  description: 'Scale is how many instances of something are wanted, and how many there are.',
  schema: scaleSchema,
  verbs: ['get', 'patch', 'update'],
  columns: [
    { name: 'Desired', type: 'integer', description: 'The number of instances wanted.', value: ({ spec }) => spec?.replicas },
    { name: 'Available', type: 'integer', description: 'The number of instances observed.', value: ({ status }) => status?.replicas },
    { name: 'Age', type: 'date', description: 'How old the object is.', value: ({ metadata }) => metadata.creationTimestamp ?? undefined },
  ],
};
