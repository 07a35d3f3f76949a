import { type Clock, type Logger, silentLogger, systemClock } from '@arc/kernel';
import { delegatedAuthenticator } from '../authn/delegated-authenticator.ts';
import type { ExtensionAuthentication } from '../authn/extension-authentication.ts';
import { reviewedTokens } from '../authn/reviewed-tokens.ts';
import { alwaysAllowed, healthPaths, privilegedGroup } from '../authz/built-in.ts';
import { subjectAccessReviewAuthorizer } from '../authz/subject-access-review.ts';
import type { AccessControl, NamespaceLookup, QuotaLedger } from './access-control.ts';
import type { CoreApi } from './core-api.ts';

export interface DelegatedAccessOptions {
  readonly core: CoreApi;
  /** Asked for every request: it changes while the server runs. */
  readonly trust: () => ExtensionAuthentication;
  readonly namespaces: NamespaceLookup;
  /** Default: nothing is counted. */
  readonly quotas?: QuotaLedger;
  /** For whom bearer tokens must be; default: for kube-apiserver. */
  readonly audiences?: readonly string[];
  /** Whether requests that present nothing are let on as `system:anonymous`. Default: true. */
  readonly anonymous?: boolean;
  /** Paths, or `/*` after a path, that nobody is asked about. Default: health. */
  readonly alwaysAllowedPaths?: readonly string[];
  /** How long answers are believed, milliseconds. Default: 10 s each. */
  readonly ttlMs?: { readonly token?: number; readonly allowed?: number; readonly denied?: number };
  readonly clock?: Clock;
  readonly logger?: Logger;
}

const defaultTtlMs = 10_000;

/**
 * Leaves every decision to the API server of a cluster (wire contract 6.1 to 6.3): its front proxy, its authorities and
 * TokenReview say who somebody is, SubjectAccessReview what they may do. Members of `system:masters` may do everything.
 */
export function delegatedAccess(options: DelegatedAccessOptions): AccessControl {
  const { core, trust, namespaces, quotas, ttlMs = {}, clock = systemClock, logger = silentLogger } = options;
  return {
    authenticator: delegatedAuthenticator({
      trust,
      tokens: reviewedTokens({ core, audiences: options.audiences ?? [], ttlMs: ttlMs.token ?? defaultTtlMs, clock, logger }),
      anonymous: options.anonymous ?? true,
      clock,
    }),
    authorizers: [
      privilegedGroup,
      alwaysAllowed(options.alwaysAllowedPaths ?? healthPaths),
      subjectAccessReviewAuthorizer({
        core,
        allowedTtlMs: ttlMs.allowed ?? defaultTtlMs,
        deniedTtlMs: ttlMs.denied ?? defaultTtlMs,
        clock,
      }),
    ],
    namespaces,
    ...(quotas !== undefined && { quotas }),
  };
}
