import { isObject, type JsonObject } from '@arc/apimachinery';
import type { UserInfo } from '../authn/user.ts';
import type { Attributes, Authorizer } from '../authz/authorizer.ts';
import type { ReviewHandler } from '../registry/connector.ts';

/** What a server answers about its callers' own rights and identity, on top of its authorizer. */
export function selfSubjectReviews(authorizer: Required<Authorizer>): readonly ReviewHandler[] {
  return [
    {
      group: 'authorization.k8s.io',
      plural: 'selfsubjectaccessreviews',
      handle: async ({ object, user, signal }) => {
        const answer = await authorizer.authorize(attributesOf(object['spec']), user, signal);
        const status = {
          allowed: answer.decision === 'allow',
          ...(answer.decision === 'deny' && { denied: true }),
          ...(answer.reason !== '' && { reason: answer.reason }),
        };
        return { ...object, status };
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

function attributesOf(spec: unknown): Attributes {
  const { resourceAttributes, nonResourceAttributes } = isObject(spec) ? spec : {};
  const resource = isObject(resourceAttributes) ? resourceAttributes : {};
  const path = isObject(nonResourceAttributes) ? nonResourceAttributes : undefined;
  return {
    resourceRequest: path === undefined,
    verb: text(path ?? resource, 'verb'),
    namespace: text(resource, 'namespace'),
    group: text(resource, 'group'),
    version: text(resource, 'version'),
    resource: text(resource, 'resource'),
    subresource: text(resource, 'subresource'),
    name: text(resource, 'name'),
    path: path === undefined ? '' : text(path, 'path'),
  };
}

function text(object: JsonObject, field: string): string {
  const value = object[field];
  return typeof value === 'string' ? value : '';
}

function userInfoOf({ name, uid, groups, extra }: UserInfo): JsonObject {
  return { username: name, ...(uid !== undefined && { uid }), groups, ...(extra !== undefined && { extra }) };
}
