import { s } from '@arc/apimachinery';
import type { KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { accessAnswer, accessQuestion, questionErrors } from './access-review.ts';
import { protobufBodies } from './protobuf-bodies.ts';

const selfSubjectAccessReviewSchema = s.object({
  spec: s.object(accessQuestion, { description: 'The question. Exactly one of the two.' }),
  status: accessAnswer,
});

export interface SelfSubjectAccessReview extends KubeObject, Static<typeof selfSubjectAccessReviewSchema> {}

export const selfSubjectAccessReviews: ResourceType = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectaccessreviews',
  kind: 'SelfSubjectAccessReview',
  namespaced: false,
};

/** A question, never stored: the server answers in `status`. */
export const selfSubjectAccessReviewDefinition: KindDefinition<SelfSubjectAccessReview> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  names: { plural: 'selfsubjectaccessreviews', singular: 'selfsubjectaccessreview' },
  scope: 'Cluster',
  description: 'SelfSubjectAccessReview asks whether the caller may do something.',
  schema: selfSubjectAccessReviewSchema,
  strategy: {
    validate: ({ spec }) => questionErrors(spec),
  },
  verbs: ['create'],
  ...protobufBodies('authorization.k8s.io/v1', 'SelfSubjectAccessReview'),
};
