import { isObject, type JsonObject, statusError } from '@arc/apimachinery';
import type { IssuedCredentials } from '../authn/issued-credentials.ts';
import type { UserInfo } from '../authn/user.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import type { ReviewHandler, ReviewRequest } from '../registry/connector.ts';
import { accessStatus, attributesOf, text, userInfoOf } from './review-fields.ts';

export interface SubjectReviewsOptions {
  readonly authorizer: Required<Authorizer>;
  readonly credentials: IssuedCredentials;
}

/** What a server answers to those who may ask about others: rights of a user, and whose a token is (wire contract 6.1, 6.3). */
export function subjectReviews({ authorizer, credentials }: SubjectReviewsOptions): readonly ReviewHandler[] {
  const review = async ({ object, signal }: ReviewRequest): Promise<ReturnType<typeof accessStatus>> =>
    accessStatus(await authorizer.authorize(attributesOf(object['spec']), subjectOf(object['spec']), signal));
  return [
    {
      group: 'authorization.k8s.io',
      plural: 'subjectaccessreviews',
      handle: async (request) => ({ ...request.object, status: await review(request) }),
    },
    {
      group: 'authorization.k8s.io',
      plural: 'localsubjectaccessreviews',
      handle: async (request) => {
        const { object } = request;
        if (attributesOf(object['spec']).namespace !== object.metadata.namespace) {
          throw statusError.badRequest('spec.resourceAttributes.namespace must match the namespace of the review');
        }
        return { ...object, status: await review(request) };
      },
    },
    {
      group: 'authentication.k8s.io',
      plural: 'tokenreviews',
      handle: async ({ object, signal }) => {
        const user = await credentials.userOfToken(text(isObject(object['spec']) ? object['spec'] : {}, 'token'), signal);
        const status = user === undefined ? { authenticated: false } : { authenticated: true, user: userInfoOf(user) };
        return { ...object, status };
      },
    },
  ];
}

/** The user a review asks about, exactly as given: nobody is made a member of `system:authenticated` by asking. */
function subjectOf(spec: unknown): UserInfo {
  const subject: JsonObject = isObject(spec) ? spec : {};
  const uid = text(subject, 'uid');
  return {
    name: text(subject, 'user'),
    groups: textsOf(subject['groups']),
    ...(uid !== '' && { uid }),
    ...(isObject(subject['extra']) && {
      extra: Object.fromEntries(Object.entries(subject['extra']).map(([key, values]) => [key, textsOf(values)])),
    }),
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
