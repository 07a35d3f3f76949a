import { isObject } from '@arc/apimachinery';
import type { Authorizer } from '../authz/authorizer.ts';
import type { ReviewHandler } from '../registry/connector.ts';
import { accessStatus, attributesOf, text, userInfoOf } from './review-fields.ts';

/** What a server answers about its callers' own rights and identity, on top of its authorizer. */
export function selfSubjectReviews(authorizer: Required<Authorizer>): readonly ReviewHandler[] {
  return [
    {
      group: 'authorization.k8s.io',
      plural: 'selfsubjectaccessreviews',
      handle: async ({ object, user, signal }) => {
        const answer = await authorizer.authorize(attributesOf(object['spec']), user, signal);
        return { ...object, status: accessStatus(answer) };
      },
    },
    {
      group: 'authorization.k8s.io',
      plural: 'selfsubjectrulesreviews',
      handle: async ({ object, user, signal }) => {
        const spec = isObject(object['spec']) ? object['spec'] : {};
        const { resourceRules, nonResourceRules, incomplete } = await authorizer.rulesFor(user, text(spec, 'namespace'), signal);
        return { ...object, status: { resourceRules, nonResourceRules, incomplete } };
      },
    },
    {
      group: 'authentication.k8s.io',
      plural: 'selfsubjectreviews',
      handle: async ({ object, user }) => ({ ...object, status: { userInfo: userInfoOf(user) } }),
    },
  ];
}
