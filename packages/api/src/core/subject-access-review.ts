import { fieldError, s } from '@arc/apimachinery';
import type { FieldError, KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { accessAnswer, accessQuestion, questionErrors } from './access-review.ts';
import { protobufBodies } from './protobuf-bodies.ts';

const subjectAccessReviewSchema = s.object({
  spec: s.object(
    {
      ...accessQuestion,
      user: s.optional(s.string({ description: 'The user who is asked about.' })),
      groups: s.optional(s.array(s.string(), { description: 'Groups the user is in.', 'x-kubernetes-list-type': 'atomic' })),
      uid: s.optional(s.string({ description: 'Identifies the user over time.' })),
      extra: s.optional(s.map(s.array(s.string()), { description: 'What the authenticator added.' })),
    },
    { description: 'The question.' },
  ),
  status: accessAnswer,
});

export interface SubjectAccessReview extends KubeObject, Static<typeof subjectAccessReviewSchema> {}

export const subjectAccessReviews: ResourceType = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
  namespaced: false,
};

/** A question, never stored: the server answers in `status`. */
export const subjectAccessReviewDefinition: KindDefinition<SubjectAccessReview> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  names: { plural: 'subjectaccessreviews', singular: 'subjectaccessreview' },
  scope: 'Cluster',
  description: 'SubjectAccessReview asks whether a user may do something.',
  schema: subjectAccessReviewSchema,
  strategy: { validate: ({ spec }) => [...questionErrors(spec), ...subjectErrors(spec)] },
  verbs: ['create'],
  ...protobufBodies('authorization.k8s.io/v1', 'SubjectAccessReview'),
};

/** A question about one namespace, which may be asked by who may ask in that namespace. */
export const localSubjectAccessReviewDefinition: KindDefinition<SubjectAccessReview> = {
  ...subjectAccessReviewDefinition,
  kind: 'LocalSubjectAccessReview',
  names: { plural: 'localsubjectaccessreviews', singular: 'localsubjectaccessreview' },
  scope: 'Namespaced',
  description: 'LocalSubjectAccessReview asks whether a user may do something in its namespace.',
  strategy: {
    validate: ({ spec }) => [
      ...questionErrors(spec),
      ...subjectErrors(spec),
      ...(spec.nonResourceAttributes === undefined
        ? []
        : [fieldError.invalid('spec.nonResourceAttributes', spec.nonResourceAttributes, 'disallowed on this kind of request')]),
    ],
  },
  ...protobufBodies('authorization.k8s.io/v1', 'LocalSubjectAccessReview'),
};

function subjectErrors({ user = '', groups = [] }: SubjectAccessReview['spec']): FieldError[] {
  return user === '' && groups.length === 0
    ? [fieldError.invalid('spec.user', user, 'at least one of user or group must be specified')]
    : [];
}
