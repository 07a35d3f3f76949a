import { type ApiStatusError, failure } from '@arc/apimachinery';
import type { UserInfo } from '../authn/user.ts';
import type { Attributes } from './authorizer.ts';

/** 403 with the text of wire contract 2.3; `reason` comes from the authorizer. */
export function forbidden(attributes: Attributes, user: UserInfo, reason: string): ApiStatusError {
  const suffix = reason === '' ? '' : `: ${reason}`;
  if (!attributes.resourceRequest) {
    return failure(403, 'Forbidden', `forbidden: ${refusal(attributes, user)}${suffix}`, {});
  }
  const { group, resource, name } = attributes;
  const type = group === '' ? resource : `${resource}.${group}`;
  const subject = name === '' ? type : `${type} ${JSON.stringify(name)}`;
  return failure(403, 'Forbidden', `${subject} is forbidden: ${refusal(attributes, user)}${suffix}`, {
    ...(name !== '' && { name }),
    ...(group !== '' && { group }),
    kind: resource,
  });
}

function refusal(attributes: Attributes, user: UserInfo): string {
  const who = `User ${JSON.stringify(escapedForHtml(user.name))} cannot ${escapedForHtml(attributes.verb)}`;
  if (!attributes.resourceRequest) return `${who} path ${JSON.stringify(escapedForHtml(attributes.path))}`;
  const resource = attributes.subresource === '' ? attributes.resource : `${attributes.resource}/${attributes.subresource}`;
  const what = `${who} resource ${JSON.stringify(escapedForHtml(resource))} in API group ${JSON.stringify(escapedForHtml(attributes.group))}`;
  return attributes.namespace === ''
    ? `${what} at the cluster scope`
    : `${what} in the namespace ${JSON.stringify(escapedForHtml(attributes.namespace))}`;
}

/** As error texts are written that a browser might show. */
export function escapedForHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
