import { statusError } from '@arc/apimachinery';
import type { Clock } from '@arc/kernel';
import type { Exchange } from '../http/exchange.ts';
import { type Authenticator, presentedToken } from './authenticator.ts';
import { userOfCertificate } from './client-certificate.ts';
import type { ExtensionAuthentication } from './extension-authentication.ts';
import { frontProxyUser } from './front-proxy.ts';
import type { ReviewedTokens } from './reviewed-tokens.ts';
import { anonymous, authenticated, type UserInfo } from './user.ts';

export interface DelegatedAuthenticatorOptions {
  /** Asked for every request: it changes while the server runs. */
  readonly trust: () => ExtensionAuthentication;
  readonly tokens: ReviewedTokens;
  /** Whether a request that presents nothing is let on as `system:anonymous`. */
  readonly anonymous: boolean;
  readonly clock: Clock;
}

/**
 * Knows the clients of a cluster, in the order of wire contract 6.1: named by the front proxy, by client certificate, by
 * bearer token, anonymous. A peer is the front proxy only if its certificates lead to an authority of the front proxy's own
 * pool and its name is allowed; from anybody else X-Remote-* headers mean nothing.
 */
export function delegatedAuthenticator(options: DelegatedAuthenticatorOptions): Authenticator {
  const { trust, tokens, clock } = options;
  return {
    async authenticate(exchange) {
      const certified = byCertificate(exchange, trust(), clock.now());
      if (certified.user !== undefined) return authenticated(certified.user);
      const token = presentedToken(exchange);
      const user = token === undefined || token === '' ? undefined : await tokens.userOf(token);
      if (user !== undefined) return authenticated(user);
      if (certified.refused || token !== undefined || !options.anonymous) throw statusError.unauthorized();
      return anonymous;
    },
  };
}

interface Certified {
  readonly user?: UserInfo | undefined;
  /** A certificate was presented and is good for nothing. */
  readonly refused: boolean;
}

function byCertificate(exchange: Exchange, { frontProxy, clients }: ExtensionAuthentication, now: number): Certified {
  const { peer } = exchange;
  const asProxy = frontProxy?.verifier.verify(peer, now);
  if (frontProxy !== undefined && asProxy?.kind === 'valid' && isAllowed(asProxy.commonName, frontProxy.allowedNames)) {
    const user = frontProxyUser(exchange, frontProxy);
    if (user !== undefined) return { user, refused: false };
  }
  const asClient = clients?.verify(peer, now);
  if (asClient?.kind === 'valid') {
    const user = userOfCertificate(asClient);
    return { user, refused: user === undefined };
  }
  const isProxyOfAnotherName =
    frontProxy !== undefined && asProxy?.kind === 'valid' && !isAllowed(asProxy.commonName, frontProxy.allowedNames);
  return { refused: asProxy?.kind === 'invalid' || asClient?.kind === 'invalid' || isProxyOfAnotherName };
}

function isAllowed(name: string, allowed: readonly string[]): boolean {
  return allowed.length === 0 || allowed.includes(name);
}
