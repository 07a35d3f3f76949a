import { statusError } from '@arc/apimachinery';
import type { Attributes, Authorizer } from '../authz/authorizer.ts';
import { forbidden } from '../authz/forbidden.ts';
import type { Exchange } from '../http/exchange.ts';
import { authenticated, type UserInfo } from './user.ts';

const extraPrefix = 'impersonate-extra-';

/**
 * Acts as somebody else when the Impersonate-* headers ask for it and the user may (wire contract 6.2).
 * @throws ApiStatusError 403 when the user may not, 400 when groups, uid or extras come without a user.
 */
export async function impersonate(exchange: Exchange, user: UserInfo, authorizer: Authorizer, signal: AbortSignal): Promise<UserInfo> {
  const wanted = wantedUser(exchange);
  if (wanted === undefined) return user;
  for (const attributes of requiredRights(wanted)) {
    const answer = await authorizer.authorize(attributes, user, signal);
    if (answer.decision !== 'allow') throw forbidden(attributes, user, answer.reason);
  }
  return authenticated(wanted);
}

function wantedUser(exchange: Exchange): UserInfo | undefined {
  const pairs = exchange.headerPairs().filter(([name]) => name.startsWith('impersonate-'));
  if (pairs.length === 0) return undefined;
  const name = exchange.header('impersonate-user') ?? '';
  const uid = exchange.header('impersonate-uid');
  const groups = exchange.headerValues('impersonate-group');
  const extra: Record<string, string[]> = {};
  for (const [header, value] of pairs) {
    if (!header.startsWith(extraPrefix)) continue;
    (extra[decodedKey(header.slice(extraPrefix.length))] ??= []).push(value);
  }
  if (name === '') {
    throw statusError.badRequest(`requested ${JSON.stringify({ groups, uid: uid ?? '', extra })} without impersonating a user`);
  }
  return { name, groups, ...(uid !== undefined && { uid }), ...(Object.keys(extra).length > 0 && { extra }) };
}

function decodedKey(key: string): string {
  try {
    return decodeURIComponent(key).toLowerCase();
  } catch {
    return key;
  }
}

function requiredRights(wanted: UserInfo): Attributes[] {
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(wanted.name);
  const [, accountNamespace = '', accountName = ''] = account ?? [];
  const rights = [
    account === null ? right('', 'users', wanted.name) : right('', 'serviceaccounts', accountName, { namespace: accountNamespace }),
    ...wanted.groups.map((group) => right('', 'groups', group)),
  ];
  if (wanted.uid !== undefined) rights.push(right('authentication.k8s.io', 'uids', wanted.uid));
  for (const [key, values] of Object.entries(wanted.extra ?? {})) {
    for (const value of values) rights.push(right('authentication.k8s.io', 'userextras', value, { subresource: key }));
  }
  return rights;
}

function right(
  group: string,
  resource: string,
  name: string,
  { namespace = '', subresource = '' }: { readonly namespace?: string; readonly subresource?: string } = {},
): Attributes {
  return { resourceRequest: true, verb: 'impersonate', namespace, group, version: '', resource, subresource, name, path: '' };
}
