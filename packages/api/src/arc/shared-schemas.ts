import { s } from '@arc/apimachinery';
import type { OptionalSchema, Schema, Static } from '@arc/apimachinery';

/** A field that may be absent or null, which mean the same: Go clients write null for what is unset. */
export function optional<T>(schema: Schema<T>): OptionalSchema<T> {
  return s.optional({ ...schema, nullable: true });
}

/** A reference to an object of the same namespace. */
export const localReference = s.object({
  name: optional(s.string({ description: 'Name of the referent, in the same namespace.' })),
});
export type LocalReference = Static<typeof localReference>;

export const workflowTemplateReference = s.object(
  {
    name: optional(s.string({ description: 'Name of the WorkflowTemplate or ClusterWorkflowTemplate.' })),
    clusterScope: optional(s.boolean({ description: 'True: the name is that of a ClusterWorkflowTemplate.' })),
  },
  { description: 'The Argo template that does the work.' },
);
export type WorkflowTemplateReference = Static<typeof workflowTemplateReference>;

export const parameter = s.object({
  name: optional(s.string({ description: 'Name of the workflow parameter.' })),
  value: optional(s.string({ description: 'Value of the workflow parameter.' })),
});
export type Parameter = Static<typeof parameter>;

/** A Go duration such as `90s` or `1h30m`. */
export function duration(description: string): ReturnType<typeof s.string> {
  return s.string({ description });
}

export const timeToLive = {
  ttlAfterFinished: optional(duration('How long a succeeded run is kept after it finished; unset or 0 keeps it.')),
  ttlAfterFailed: optional(duration('How long a failed run is kept after it failed; unset or 0 keeps it.')),
} as const;

export const conditions = s.listMap(
  s.object({
    type: s.string({ description: 'Name of the condition.' }),
    status: s.literals(['True', 'False', 'Unknown'], { description: 'Status of the condition.' }),
    reason: s.string({ description: 'One word in CamelCase: why.' }),
    message: s.string({ description: 'A sentence for people.' }),
    observedGeneration: optional(s.integer({ description: 'The generation the condition was computed for.' })),
    lastTransitionTime: s.time({ description: 'When the status last changed.' }),
  }),
  ['type'],
  { description: 'What is known about the object, by type.' },
);
