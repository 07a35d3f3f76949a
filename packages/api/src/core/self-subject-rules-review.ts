import { fieldError, s } from '@arc/apimachinery';
import type { KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { protobufBodies } from './protobuf-bodies.ts';

const names = (description: string) => s.array(s.string(), { description, 'x-kubernetes-list-type': 'atomic' });

const selfSubjectRulesReviewSchema = s.object({
  spec: s.object(
    { namespace: s.optional(s.string({ description: 'The namespace asked about. Required.' })) },
    { description: 'The question.' },
  ),
  status: s.optional(
    s.object(
      {
        resourceRules: s.array(
          s.object({
            verbs: names('What may be done; "*" is everything.'),
            apiGroups: s.optional(names('In which groups; "*" is all.')),
            resources: s.optional(names('With which resources; "*" is all.')),
            resourceNames: s.optional(names('Only with these names; empty is all.')),
          }),
          { description: 'What the caller may do with objects.', 'x-kubernetes-list-type': 'atomic' },
        ),
        nonResourceRules: s.array(
          s.object({
            verbs: names('HTTP methods, lower case; "*" is all.'),
            nonResourceURLs: s.optional(names('Paths; "*" is all.')),
          }),
          { description: 'What the caller may do with other paths.', 'x-kubernetes-list-type': 'atomic' },
        ),
        incomplete: s.boolean({ description: 'Whether there may be more rules than these.' }),
        evaluationError: s.optional(s.string({ description: 'What went wrong while collecting.' })),
      },
      { description: 'The answer.' },
    ),
  ),
});

export interface SelfSubjectRulesReview extends KubeObject, Static<typeof selfSubjectRulesReviewSchema> {}

export const selfSubjectRulesReviews: ResourceType = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectrulesreviews',
  kind: 'SelfSubjectRulesReview',
  namespaced: false,
};

/** A question, never stored: the server answers in `status`. */
export const selfSubjectRulesReviewDefinition: KindDefinition<SelfSubjectRulesReview> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  names: { plural: 'selfsubjectrulesreviews', singular: 'selfsubjectrulesreview' },
  scope: 'Cluster',
  description: 'SelfSubjectRulesReview asks for everything the caller may do in a namespace.',
  schema: selfSubjectRulesReviewSchema,
  strategy: {
    validate: ({ spec }) => ((spec.namespace ?? '') === '' ? [fieldError.required('spec.namespace')] : []),
  },
  verbs: ['create'],
  ...protobufBodies('authorization.k8s.io/v1', 'SelfSubjectRulesReview'),
};
