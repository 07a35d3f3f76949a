import { fieldError, s } from '@arc/apimachinery';
import type { FieldError } from '@arc/apimachinery';

const selectorAttributes = (description: string) =>
  s.object(
    {
      rawSelector: s.optional(s.string({ description: 'The selector as text.' })),
      requirements: s.optional(s.array(s.freeForm(), { description: 'The selector, parsed.', 'x-kubernetes-list-type': 'atomic' })),
    },
    { description },
  );

/** What an access review asks. */
export const accessQuestion = {
  resourceAttributes: s.optional(
    s.object(
      {
        namespace: s.optional(s.string({ description: 'Empty: all namespaces, or none for cluster-scoped resources.' })),
        verb: s.optional(s.string({ description: 'get, list, watch, create, update, patch, delete, deletecollection, or "*".' })),
        group: s.optional(s.string({ description: 'API group; "*" for all.' })),
        version: s.optional(s.string({ description: 'API version; "*" for all.' })),
        resource: s.optional(s.string({ description: 'Plural of the resource; "*" for all.' })),
        subresource: s.optional(s.string({ description: 'For example status or log.' })),
        name: s.optional(s.string({ description: 'Empty: all names.' })),
        fieldSelector: s.optional(selectorAttributes('Limits the question to some objects by their fields.')),
        labelSelector: s.optional(selectorAttributes('Limits the question to some objects by their labels.')),
      },
      { description: 'Asks about objects.' },
    ),
  ),
  nonResourceAttributes: s.optional(
    s.object(
      {
        path: s.optional(s.string({ description: 'Path of the URL.' })),
        verb: s.optional(s.string({ description: 'HTTP method, lower case.' })),
      },
      { description: 'Asks about a path that is not a resource.' },
    ),
  ),
};

/** What an access review answers. */
export const accessAnswer = s.optional(
  s.object(
    {
      allowed: s.boolean({ description: 'Whether the caller may do it.' }),
      denied: s.optional(s.boolean({ description: 'Whether a rule forbids it outright.' })),
      reason: s.optional(s.string({ description: 'Why.' })),
      evaluationError: s.optional(s.string({ description: 'What went wrong while deciding.' })),
    },
    { description: 'The answer.' },
  ),
);

interface Question {
  readonly resourceAttributes?: unknown;
  readonly nonResourceAttributes?: unknown;
}

/** Exactly one of the two kinds of attributes. */
export function questionErrors(spec: Question): FieldError[] {
  const about = [spec.resourceAttributes, spec.nonResourceAttributes].filter((attributes) => attributes !== undefined);
  if (about.length === 1) return [];
  return about.length === 0
    ? [fieldError.invalid('spec.resourceAttributes', null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')]
    : [
        fieldError.invalid(
          'spec.nonResourceAttributes',
          spec.nonResourceAttributes,
          'cannot be specified in combination with resourceAttributes',
        ),
      ];
}
