import { fieldError, s } from '@arc/apimachinery';
import type { KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { protobufBodies } from './protobuf-bodies.ts';
import { userInfoSchema } from './user-info.ts';

const texts = (description: string) => s.array(s.string(), { description, 'x-kubernetes-list-type': 'atomic' });

const tokenReviewSchema = s.object({
  spec: s.object(
    {
      token: s.optional(s.string({ description: 'The bearer token asked about. Required.' })),
      audiences: s.optional(texts('For whom the token must be; tokens of this server are for the server only.')),
    },
    { description: 'The question.' },
  ),
  status: s.optional(
    s.object(
      {
        authenticated: s.optional(s.boolean({ description: 'Whether the token is valid.' })),
        user: userInfoSchema('Whose token it is.'),
        audiences: s.optional(texts('Those of the asked audiences the token is for.')),
        error: s.optional(s.string({ description: 'What went wrong while looking.' })),
      },
      { description: 'The answer.' },
    ),
  ),
});

export interface TokenReview extends KubeObject, Static<typeof tokenReviewSchema> {}

export const tokenReviews: ResourceType = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'tokenreviews',
  kind: 'TokenReview',
  namespaced: false,
};

/** A question, never stored: the server answers in `status`. */
export const tokenReviewDefinition: KindDefinition<TokenReview> = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  names: { plural: 'tokenreviews', singular: 'tokenreview' },
  scope: 'Cluster',
  description: 'TokenReview asks whose a bearer token is.',
  schema: tokenReviewSchema,
  strategy: { validate: ({ spec }) => ((spec.token ?? '') === '' ? [fieldError.required('spec.token')] : []) },
  verbs: ['create'],
  ...protobufBodies('authentication.k8s.io/v1', 'TokenReview'),
};
