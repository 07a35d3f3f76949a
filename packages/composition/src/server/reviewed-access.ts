import { createHash } from 'node:crypto';
import { subjectAccessReviews, tokenReviews } from '@arc/api/core';
import { apiVersionOf } from '@arc/apimachinery';
import type { KubeObject, ResourceType } from '@arc/apimachinery';
import type { Clock } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';

/** How long an answer is believed, as in Kubernetes' own servers. */
const keptMs = 10_000;
const maxKept = 100;

export type Access = 'allowed' | 'unauthenticated' | 'denied';

interface TokenReview extends KubeObject {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly user?: { readonly username?: string; readonly groups?: readonly string[] };
  };
}

interface AccessReview extends KubeObject {
  readonly status?: { readonly allowed?: boolean };
}

/**
 * Whether the bearer of a token may `get` a path, as the API server of a cluster says: by a TokenReview and a SubjectAccessReview.
 * No token is kept, only a digest of it.
 *
 * @param client is bound to the ClusterRole `system:auth-delegator`
 */
export function reviewedAccess(
  client: Pick<KubeClient, 'create'>,
  clock: Clock,
): (authorization: string | undefined, path: string, signal: AbortSignal) => Promise<Access> {
  const kept = new Map<string, { readonly access: Access; readonly until: number }>();
  const review = <T extends KubeObject>(type: ResourceType, spec: object, signal: AbortSignal): Promise<T> => {
    const question = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: {}, spec } as unknown as T;
    return client.create<T>(type, question, { signal });
  };

  async function ask(token: string, path: string, signal: AbortSignal): Promise<Access> {
    const { status } = await review<TokenReview>(tokenReviews, { token }, signal);
    const { username = '', groups = [] } = status?.user ?? {};
    if (status?.authenticated !== true || username === '') return 'unauthenticated';
    const answer = await review<AccessReview>(
      subjectAccessReviews,
      { user: username, groups, nonResourceAttributes: { path, verb: 'get' } },
      signal,
    );
    return answer.status?.allowed === true ? 'allowed' : 'denied';
  }

  return async (authorization, path, signal) => {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return 'unauthenticated';
    const key = createHash('sha256').update(`${path}\n${token}`).digest('base64');
    const known = kept.get(key);
    if (known !== undefined && clock.monotonic() < known.until) return known.access;
    const access = await ask(token, path, signal);
    kept.delete(key);
    kept.set(key, { access, until: clock.monotonic() + keptMs });
    for (const oldest of kept.keys()) {
      if (kept.size <= maxKept) break;
      kept.delete(oldest);
    }
    return access;
  };
}
