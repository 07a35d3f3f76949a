import type { Clock } from '@arc/kernel';
import type { CachedObject, ResourceCache, WatchCache } from '@arc/storage';
import { parseBytes } from '../representation/object-view.ts';
import {
  certificateSecretName,
  credentialNamespace,
  readCertificateSecret,
  readTokenSecret,
  secretNameOfToken,
  tokenMatches,
  type TokenRecord,
} from './credential-secrets.ts';
import { authenticated, type UserInfo } from './user.ts';

/** The tokens and certificates that were handed out to users of a standalone server. */
export interface IssuedCredentials {
  /**
   * Undefined when the token is unknown or has expired.
   * @throws StorageError `Loading` while nobody can tell.
   */
  userOfToken(token: string, signal: AbortSignal): Promise<UserInfo | undefined>;
  /** False while the watch cache is being loaded: what is served then is no secret. */
  isRevoked(serialNumber: string): boolean;
}

export interface IssuedCredentialsOptions {
  /** Undefined: a server without Secrets, which knows no token. */
  readonly secrets: ResourceCache | undefined;
  readonly cache: Pick<WatchCache, 'loaded' | 'waitUntilFresh'>;
  readonly clock: Clock;
}

/** Reads the Secrets of `credential-secrets` from the watch cache; each is parsed once per revision. */
export function issuedCredentials({ secrets, cache, clock }: IssuedCredentialsOptions): IssuedCredentials {
  return {
    async userOfToken(token, signal) {
      const name = secretNameOfToken(token);
      if (name === undefined || secrets === undefined) return undefined;
      let found = secrets.get(credentialNamespace, name);
      if (found === undefined) {
        await cache.waitUntilFresh(signal);
        found = secrets.get(credentialNamespace, name);
      }
      const record = found === undefined ? undefined : tokenIn(found);
      if (record === undefined || !tokenMatches(token, record) || record.expires <= clock.now()) return undefined;
      return authenticated({ name: record.user, groups: record.groups });
    },
    isRevoked(serialNumber) {
      if (!cache.loaded) return false;
      const found = secrets?.get(credentialNamespace, certificateSecretName(serialNumber));
      return found !== undefined && isRevocation(found);
    },
  };
}

const tokens = new WeakMap<CachedObject, { readonly record: TokenRecord | undefined }>();
const revocations = new WeakMap<CachedObject, boolean>();

function tokenIn(cached: CachedObject): TokenRecord | undefined {
  const known = tokens.get(cached);
  if (known !== undefined) return known.record;
  const record = readTokenSecret(parseBytes(cached.bytes) as unknown as Record<string, unknown>);
  tokens.set(cached, { record });
  return record;
}

function isRevocation(cached: CachedObject): boolean {
  const known = revocations.get(cached);
  if (known !== undefined) return known;
  const revoked = readCertificateSecret(parseBytes(cached.bytes) as unknown as Record<string, unknown>)?.revoked === true;
  revocations.set(cached, revoked);
  return revoked;
}
