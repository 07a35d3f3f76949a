import type { Clock } from '@arc/kernel';
import type { ResourceCache, WatchCache } from '@arc/storage';
import { certificateVerifier } from '../authn/client-certificate.ts';
import type { IssuedCredentials } from '../authn/issued-credentials.ts';
import { standaloneAuthenticator } from '../authn/standalone-authenticator.ts';
import { builtInAuthorizers, discoveryBefore, fixedAuthorizers } from '../authz/built-in.ts';
import { cachedPolicy, servesRbac } from '../authz/rbac/cached-policy.ts';
import { rbacAuthorizer } from '../authz/rbac/rbac-authorizer.ts';
import type { CacheLookup } from '../registry/cache-lookup.ts';
import { parseBytes } from '../representation/object-view.ts';
import type { AccessControl, NamespaceLookup } from './access-control.ts';

export interface StandaloneAccessOptions {
  readonly cacheOf: CacheLookup;
  readonly cache: WatchCache;
  readonly credentials: IssuedCredentials;
  /** PEM bundle; undefined: client certificates stand for nobody. */
  readonly clientCa: string | undefined;
  readonly clock: Clock;
}

/**
 * Decides by what the server stores itself: credentials it handed out, roles and bindings, namespaces. Without the RBAC
 * kinds every user may discover and ask about itself.
 *
 * @throws ArcError `InvalidClientCa`
 */
export function standaloneAccess({ cacheOf, cache, credentials, clientCa, clock }: StandaloneAccessOptions): AccessControl {
  const clients = clientCa === undefined ? undefined : certificateVerifier(clientCa);
  const namespaces = cacheOf('', 'namespaces');
  return {
    authenticator: standaloneAuthenticator({ clients, credentials, clock }),
    authorizers: servesRbac(cacheOf)
      ? [...fixedAuthorizers, discoveryBefore(() => cache.loaded), rbacAuthorizer(cachedPolicy(cacheOf), cache)]
      : builtInAuthorizers,
    namespaces: namespaces === undefined ? undefined : cachedNamespaces(namespaces, cache),
  };
}

function cachedNamespaces(kept: ResourceCache, cache: WatchCache): NamespaceLookup {
  return {
    async find(name, signal) {
      let found = kept.get('', name);
      if (found === undefined) {
        await cache.waitUntilFresh(signal);
        found = kept.get('', name);
      }
      return found === undefined ? undefined : { terminating: parseBytes(found.bytes).metadata.deletionTimestamp !== undefined };
    },
  };
}
