import { s } from '@arc/apimachinery';
import type { KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { protobufBodies } from './protobuf-bodies.ts';
import { userInfoSchema } from './user-info.ts';

const selfSubjectReviewSchema = s.object({
  status: s.optional(
    s.object(
      {
        userInfo: userInfoSchema('Who the caller is.'),
      },
      { description: 'The answer.' },
    ),
  ),
});

export interface SelfSubjectReview extends KubeObject, Static<typeof selfSubjectReviewSchema> {}

export const selfSubjectReviews: ResourceType = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  namespaced: false,
};

/** A question, never stored: the server answers in `status`. */
export const selfSubjectReviewDefinition: KindDefinition<SelfSubjectReview> = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  names: { plural: 'selfsubjectreviews', singular: 'selfsubjectreview' },
  scope: 'Cluster',
  description: 'SelfSubjectReview asks who the server takes the caller for.',
  schema: selfSubjectReviewSchema,
  verbs: ['create'],
  ...protobufBodies('authentication.k8s.io/v1', 'SelfSubjectReview'),
};
