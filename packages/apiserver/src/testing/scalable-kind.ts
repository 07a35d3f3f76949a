import { fieldError, type KindDefinition, type KubeObject, s, type Static } from '@arc/apimachinery';

const crewSchema = s.object({
  spec: s.object({ size: s.optional(s.object({ members: s.optional(s.integer({ format: 'int32' })) })), ship: s.optional(s.string()) }),
  status: s.optional(s.object({ aboard: s.optional(s.integer({ format: 'int32' })), selector: s.optional(s.string()) })),
});

interface Crew extends KubeObject, Static<typeof crewSchema> {}

/** Has a `/scale` whose paths are not the usual ones, and a rule of its own about replicas. */
export const crewDefinition: KindDefinition<Crew> = {
  group: 'demo.example.com',
  version: 'v1',
  kind: 'Crew',
  names: { plural: 'crews', singular: 'crew' },
  scope: 'Namespaced',
  description: 'Crew is something with members.',
  schema: crewSchema,
  strategy: {
    validate: ({ spec }) => (spec.size?.members === 13 ? [fieldError.invalid('spec.size.members', 13, 'brings bad luck')] : []),
  },
  subresources: {
    status: true,
    scale: { specReplicasPath: '.spec.size.members', statusReplicasPath: '.status.aboard', labelSelectorPath: '.status.selector' },
  },
};
