import { isObject, type JsonObject } from '@arc/apimachinery';
import type { UserInfo } from '../authn/user.ts';
import type { Attributes, Authorization } from '../authz/authorizer.ts';

export function attributesOf(spec: unknown): Attributes {
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

export function text(object: JsonObject, field: string): string {
  const value = object[field];
  return typeof value === 'string' ? value : '';
}

export function userInfoOf({ name, uid, groups, extra }: UserInfo): JsonObject {
  return { username: name, ...(uid !== undefined && { uid }), groups, ...(extra !== undefined && { extra }) };
}

export function accessStatus({ decision, reason }: Authorization): JsonObject {
  return { allowed: decision === 'allow', ...(decision === 'deny' && { denied: true }), ...(reason !== '' && { reason }) };
}
