import { s } from '@arc/apimachinery';
import type { ColumnDefinition, FieldError, KubeObject, Static } from '@arc/apimachinery';
import { referenceName, validateDuration } from './field-rules.ts';
import { dryRunParameter } from './well-known.ts';
import { optional, parameter, timeToLive, workflowTemplateReference } from './shared-schemas.ts';

/** The spec ArtifactType and ClusterArtifactType share. */
export const artifactTypeSpec = s.object(
  {
    rules: optional(
      s.object(
        {
          srcTypes: optional(s.array(s.string(), { description: 'Endpoint types allowed as source; empty allows any.' })),
          dstTypes: optional(s.array(s.string(), { description: 'Endpoint types allowed as destination; empty allows any.' })),
          dstType: optional(s.array(s.string(), { description: 'Old spelling of dstTypes; counts when dstTypes is empty.' })),
        },
        { description: 'Which Endpoints the type accepts.' },
      ),
    ),
    parameters: optional(s.array(parameter, { description: 'Further arguments; they replace derived ones of the same name.' })),
    workflowTemplateRef: optional(workflowTemplateReference),
    priority: optional(s.integer({ description: 'Priority of runs whose Order says none; default 0.' })),
    renderConfig: optional(s.boolean({ description: 'True: each run gets its configuration as a Secret of its own.' })),
    ...timeToLive,
  },
  { description: 'How artifacts of this type are transferred.' },
);
export type ArtifactTypeSpec = Static<typeof artifactTypeSpec>;

/** An ArtifactType or a ClusterArtifactType. */
export interface AnyArtifactType extends KubeObject {
  spec?: ArtifactTypeSpec;
  status?: Record<string, unknown>;
}

/** The Endpoint types a type allows on one side; empty allows any. */
export function allowedEndpointTypes(spec: ArtifactTypeSpec | undefined, side: 'source' | 'destination'): readonly string[] {
  const rules = spec?.rules;
  if (side === 'source') return rules?.srcTypes ?? [];
  const current = rules?.dstTypes ?? [];
  return current.length > 0 ? current : (rules?.dstType ?? []);
}

export function durationErrors(spec: ArtifactTypeSpec): FieldError[] {
  return [
    ...validateDuration(spec.ttlAfterFinished, 'spec.ttlAfterFinished'),
    ...validateDuration(spec.ttlAfterFailed, 'spec.ttlAfterFailed'),
  ];
}

export function typeWarnings(type: AnyArtifactType): string[] {
  const warnings: string[] = [];
  if (referenceName(type.spec?.workflowTemplateRef) === undefined) {
    warnings.push('spec.workflowTemplateRef.name is empty: artifacts of this type cannot be transferred');
  }
  if ((type.spec?.parameters ?? []).some(({ name }) => name === dryRunParameter)) {
    warnings.push(`spec.parameters sets ${dryRunParameter}, which only an Order may turn on: it has no effect on dry runs`);
  }
  return warnings;
}

export const artifactTypeColumns: readonly ColumnDefinition<AnyArtifactType>[] = [
  {
    name: 'Parameters',
    type: 'integer',
    description: 'Number of parameters the type adds.',
    value: ({ spec }) => spec?.parameters?.length ?? 0,
  },
  {
    name: 'Workflow',
    type: 'string',
    description: 'The template that does the work.',
    value: ({ kind, spec }) => {
      const name = referenceName(spec?.workflowTemplateRef);
      if (name === undefined) return undefined;
      return kind === 'ClusterArtifactType' || spec?.workflowTemplateRef?.clusterScope === true ? `${name} (cluster scoped)` : name;
    },
  },
  { name: 'Age', type: 'date', description: 'Time since creation.', value: ({ metadata }) => metadata.creationTimestamp ?? undefined },
];
