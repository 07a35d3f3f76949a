import { selfSubjectAccessReviews } from '@arc/api/core';
import { controllerRules, describeAccess, leaderElectionRules, resourceAttributesOf } from '@arc/api/rbac';
import type { ResourceAttributes } from '@arc/api/rbac';
import { apiVersionOf } from '@arc/apimachinery';
import type { KubeObject } from '@arc/apimachinery';
import { ArcError } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';

interface AccessReview extends KubeObject {
  readonly spec: { readonly resourceAttributes: ResourceAttributes };
  readonly status?: { readonly allowed?: boolean };
}

const shownAtMost = 5;

/**
 * Asks the API server whether this program may do all that it does.
 *
 * @param namespace of the Lease; undefined: there is none
 * @throws ArcError `RightsMissing`
 */
export async function assertRights(client: Pick<KubeClient, 'create'>, namespace: string | undefined, signal: AbortSignal): Promise<void> {
  const wanted = [
    ...resourceAttributesOf(controllerRules),
    ...(namespace === undefined ? [] : resourceAttributesOf(leaderElectionRules, namespace)),
  ];
  const answers = await Promise.all(
    wanted.map(async (resourceAttributes) => {
      const review: AccessReview = {
        apiVersion: apiVersionOf(selfSubjectAccessReviews),
        kind: selfSubjectAccessReviews.kind,
        metadata: {},
        spec: { resourceAttributes },
      };
      return (await client.create<AccessReview>(selfSubjectAccessReviews, review, { signal })).status?.allowed === true;
    }),
  );
  const missing = wanted.filter((_attributes, at) => answers[at] !== true).map(describeAccess);
  if (missing.length === 0) return;
  const more = missing.length > shownAtMost ? ` and ${missing.length - shownAtMost} more` : '';
  throw new ArcError('RightsMissing', `this user may not ${missing.slice(0, shownAtMost).join('; ')}${more}`, {
    hint: 'Apply deploy/rbac.yaml, or bind the ClusterRole arc-controller-manager to the user that runs the controllers.',
  });
}
