import type { Exchange } from '../http/exchange.ts';
import type { FrontProxyTrust } from './extension-authentication.ts';
import type { UserInfo } from './user.ts';

/**
 * The user a front proxy names in its headers (wire contract 6.1); undefined when it names none. To be called only for
 * requests of a peer that has proved to be the proxy. Values are taken verbatim: a group may hold a comma.
 */
export function frontProxyUser(exchange: Pick<Exchange, 'headerValues' | 'headerPairs'>, trust: FrontProxyTrust): UserInfo | undefined {
  const name = firstOf(exchange, trust.usernameHeaders);
  if (name === undefined) return undefined;
  const uid = firstOf(exchange, trust.uidHeaders);
  const extra = extraOf(exchange, trust.extraHeaderPrefixes);
  return {
    name,
    groups: trust.groupHeaders.flatMap((header) => exchange.headerValues(header)),
    ...(uid !== undefined && { uid }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

function firstOf(exchange: Pick<Exchange, 'headerValues'>, headers: readonly string[]): string | undefined {
  return headers.map((header) => exchange.headerValues(header)[0]).find((value) => value !== undefined && value !== '');
}

function extraOf(exchange: Pick<Exchange, 'headerPairs'>, prefixes: readonly string[]): Record<string, string[]> {
  const extra = new Map<string, string[]>();
  for (const prefix of prefixes) {
    for (const [header, value] of exchange.headerPairs()) {
      if (!header.startsWith(prefix)) continue;
      const key = decoded(header.slice(prefix.length));
      extra.set(key, [...(extra.get(key) ?? []), value]);
    }
  }
  return Object.fromEntries(extra);
}

/** Keys are percent-encoded, since they may hold what no header name may. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
