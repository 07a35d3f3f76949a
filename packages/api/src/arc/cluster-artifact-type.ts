import { fieldError, s } from '@arc/apimachinery';
import type { FieldError, KindDefinition, ResourceType } from '@arc/apimachinery';
import { artifactTypeColumns, artifactTypeSpec, durationErrors, typeWarnings } from './artifact-type-spec.ts';
import type { AnyArtifactType } from './artifact-type-spec.ts';
import { unsetNulls, newErrors, referenceName, validateNamedParameters, validateUniqueParameters } from './field-rules.ts';
import { arcCategory, arcGroup, arcVersion, resourceOf } from './group.ts';
import { optional } from './shared-schemas.ts';

/** How artifacts of one type are transferred, in every namespace that does not say otherwise. */
export interface ClusterArtifactType extends AnyArtifactType {}

function errorsOf(type: ClusterArtifactType): FieldError[] {
  const spec = type.spec ?? {};
  return [...validateUniqueParameters(spec.parameters ?? [], 'spec.parameters'), ...durationErrors(spec)];
}

/** What an update may not introduce, although a create may. */
function updateErrorsOf(type: ClusterArtifactType): FieldError[] {
  const spec = type.spec ?? {};
  return [
    ...emptyEntries(spec.rules?.srcTypes ?? [], 'spec.rules.srcTypes'),
    ...emptyEntries(spec.rules?.dstTypes ?? [], 'spec.rules.dstTypes'),
    ...validateNamedParameters(spec.parameters ?? [], 'spec.parameters'),
    ...(referenceName(spec.workflowTemplateRef) === undefined ? [fieldError.required('spec.workflowTemplateRef.name')] : []),
  ];
}

function emptyEntries(entries: readonly string[], path: string): FieldError[] {
  return entries.flatMap((entry, index) => (entry === '' ? [fieldError.required(`${path}[${index}]`)] : []));
}

export const clusterArtifactTypeDefinition: KindDefinition<ClusterArtifactType> = {
  group: arcGroup,
  version: arcVersion,
  kind: 'ClusterArtifactType',
  names: { plural: 'clusterartifacttypes', singular: 'clusterartifacttype', shortNames: ['cat'], categories: [arcCategory] },
  scope: 'Cluster',
  description: 'ClusterArtifactType says how artifacts of one type are transferred, in all namespaces.',
  schema: s.object({ spec: optional(artifactTypeSpec), status: optional(s.freeForm()) }),
  selectableFields: ['spec.workflowTemplateRef.name'],
  strategy: {
    prepareForCreate: (type) => unsetNulls(type.spec),
    prepareForUpdate: (type) => unsetNulls(type.spec),
    validate: (type, old) => newErrors(errorsOf, type, old),
    validateUpdate: (type, old) => newErrors(updateErrorsOf, type, old),
    warnings: typeWarnings,
  },
  columns: artifactTypeColumns,
};

export const clusterArtifactTypes: ResourceType = resourceOf(clusterArtifactTypeDefinition);
