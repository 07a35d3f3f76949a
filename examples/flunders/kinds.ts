import { fieldError, type KindDefinition, type KubeObject, s, type Static } from '@arc/apimachinery';

const flunderSchema = s.object({
  spec: s.optional(
    s.object({
      reference: s.optional(s.string({ description: 'The name of another object.' })),
      referenceType: s.optional(s.literals(['Flunder', 'Fischer'], { description: 'What kind of object that is; default Flunder.' })),
      replicas: s.optional(s.integer({ format: 'int32', minimum: 0, description: 'How many are wanted.' })),
    }),
  ),
  status: s.optional(s.object({ replicas: s.optional(s.integer({ format: 'int32', description: 'How many there are.' })) })),
});

export interface Flunder extends KubeObject, Static<typeof flunderSchema> {}

export const flunder: KindDefinition<Flunder> = {
  group: 'wardle.example.com',
  version: 'v1alpha1',
  kind: 'Flunder',
  names: { plural: 'flunders', singular: 'flunder', shortNames: ['fl'], categories: ['all'] },
  scope: 'Namespaced',
  description: 'Flunder is something that may refer to another Flunder or to a Fischer.',
  schema: flunderSchema,
  strategy: { prepareForCreate: withDefaults, prepareForUpdate: withDefaults, validate: validateReference },
  subresources: { status: true, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
  selectableFields: ['spec.reference'],
  columns: [
    { name: 'Reference', type: 'string', description: 'What it refers to.', value: ({ spec }) => spec?.reference },
    { name: 'Age', type: 'date', description: 'How old it is.', value: ({ metadata }) => metadata.creationTimestamp ?? undefined },
  ],
};

export const fischer: KindDefinition = {
  group: 'wardle.example.com',
  version: 'v1alpha1',
  kind: 'Fischer',
  names: { plural: 'fischers', singular: 'fischer' },
  scope: 'Cluster',
  description: 'Fischer lists the names that no Flunder should have.',
  schema: s.object({ disallowedFlunders: s.optional(s.array(s.string(), { 'x-kubernetes-list-type': 'set' })) }),
};

function withDefaults(flunder: Flunder): void {
  flunder.spec ??= {};
  flunder.spec.replicas ??= 1;
  if (flunder.spec.reference !== undefined) flunder.spec.referenceType ??= 'Flunder';
}

function validateReference({ metadata, spec }: Flunder) {
  const toItself = spec?.referenceType === 'Flunder' && spec.reference === metadata.name;
  return toItself ? [fieldError.invalid('spec.reference', spec.reference, 'must not be the flunder itself')] : [];
}
