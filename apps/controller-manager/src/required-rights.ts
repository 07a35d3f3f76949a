import { selfSubjectAccessReviews } from '@arc/api/core';
import { controllerRules, describeAccess, kueueRules, leaderElectionRules, resourceAttributesOf } from '@arc/api/rbac';
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
 * @param kueue whether runs wait for the quota of Kueue
 * @throws ArcError `RightsMissing`
 */
export async function assertRights(
  client: Pick<KubeClient, 'create'>,
  { namespace, kueue }: { readonly namespace: string | undefined; readonly kueue: boolean },
  signal: AbortSignal,
): Promise<void> {
  const wanted = [
    ...resourceAttributesOf(controllerRules),
    ...(kueue ? resourceAttributesOf(kueueRules) : []),
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
    hint: kueue
      ? 'Apply deploy/rbac.yaml and deploy/kueue-rbac.yaml, or bind the ClusterRoles arc-controller-manager and arc:kueue to the user that runs the controllers.'
      : 'Apply deploy/rbac.yaml, or bind the ClusterRole arc-controller-manager to the user that runs the controllers.',
  });
}
