import { s } from '@arc/apimachinery';
import type { FieldError, KindDefinition, ResourceType } from '@arc/apimachinery';
import { artifactTypeColumns, artifactTypeSpec, durationErrors, typeWarnings } from './artifact-type-spec.ts';
import type { AnyArtifactType } from './artifact-type-spec.ts';
import { unsetNulls, immutableSpec, newErrors, validateNamedParameters, validateUniqueParameters } from './field-rules.ts';
import { arcCategory, arcGroup, arcVersion, resourceOf } from './group.ts';
import { optional } from './shared-schemas.ts';

/** How artifacts of one type are transferred, within a namespace. */
export interface ArtifactType extends AnyArtifactType {}

function errorsOf(type: ArtifactType): FieldError[] {
  const spec = type.spec ?? {};
  return [
    ...validateNamedParameters(spec.parameters ?? [], 'spec.parameters'),
    ...validateUniqueParameters(spec.parameters ?? [], 'spec.parameters'),
    ...durationErrors(spec),
  ];
}

export const artifactTypeDefinition: KindDefinition<ArtifactType> = {
  group: arcGroup,
  version: arcVersion,
  kind: 'ArtifactType',
  names: { plural: 'artifacttypes', singular: 'artifacttype', shortNames: ['at'], categories: [arcCategory] },
  scope: 'Namespaced',
  description: 'ArtifactType says how artifacts of one type are transferred. It wins over a ClusterArtifactType of the same name.',
  schema: s.object({ spec: optional(artifactTypeSpec), status: optional(s.freeForm()) }),
  selectableFields: ['spec.workflowTemplateRef.name'],
  strategy: {
    prepareForCreate: (type) => unsetNulls(type.spec),
    prepareForUpdate: (type) => unsetNulls(type.spec),
    validate: (type, old) => newErrors(errorsOf, type, old),
    validateUpdate: immutableSpec,
    warnings: typeWarnings,
  },
  columns: artifactTypeColumns,
};

export const artifactTypes: ResourceType = resourceOf(artifactTypeDefinition);
