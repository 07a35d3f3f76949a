import type { Clock } from '@arc/kernel';
import type { ResourceCache, WatchCache } from '@arc/storage';
import { type CertificateVerifier, certificateVerifier } from '../authn/client-certificate.ts';
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
  /** PEM bundle, asked for with every request; undefined: client certificates stand for nobody. */
  readonly clientCa: () => string | undefined;
  readonly clock: Clock;
}

/**
 * Decides by what the server stores itself: credentials it handed out, roles and bindings, namespaces. Without the RBAC
 * kinds every user may discover and ask about itself.
 *
 * @throws ArcError `InvalidClientCa`
 */
export function standaloneAccess({ cacheOf, cache, credentials, clientCa, clock }: StandaloneAccessOptions): AccessControl {
  const clients = newestVerifier(clientCa);
  // Fails at the start rather than with the first request.
  clients();
  const namespaces = cacheOf('', 'namespaces');
  return {
    authenticator: standaloneAuthenticator({ clients, credentials, clock }),
    authorizers: servesRbac(cacheOf)
      ? [...fixedAuthorizers, discoveryBefore(() => cache.loaded), rbacAuthorizer(cachedPolicy(cacheOf), cache)]
      : builtInAuthorizers,
    namespaces: namespaces === undefined ? undefined : cachedNamespaces(namespaces, cache),
  };
}

function newestVerifier(clientCa: () => string | undefined): () => CertificateVerifier | undefined {
  let bundle: string | undefined;
  let verifier: CertificateVerifier | undefined;
  return () => {
    const newest = clientCa();
    if (newest !== bundle) {
      verifier = newest === undefined ? undefined : certificateVerifier(newest);
      bundle = newest;
    }
    return verifier;
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
