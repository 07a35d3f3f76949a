import type { WatchCache } from '@arc/storage';
import type { Authorizer } from '../authorizer.ts';
import { decide, type Policy, rulesFor } from './policy.ts';
import { ruleSetOf } from './rule.ts';

/**
 * Decides by roles and bindings. A right somebody has just been given counts at once, whichever replica was told of it:
 * before anything is refused, the cache catches up with the store. A right taken away ends when the change reaches the
 * cache of this server, as with kube-apiserver.
 */
export function rbacAuthorizer(policy: Policy, cache: Pick<WatchCache, 'waitUntilFresh'>): Required<Authorizer> {
  return {
    authorize: async (attributes, user, signal) => {
      const known = decide(policy, attributes, user);
      if (known.decision === 'allow') return known;
      await cache.waitUntilFresh(signal);
      return decide(policy, attributes, user);
    },
    rulesFor: async (user, namespace, signal) => {
      await cache.waitUntilFresh(signal);
      const { rules, incomplete } = rulesFor(policy, user, namespace);
      return ruleSetOf(rules, incomplete);
    },
  };
}
