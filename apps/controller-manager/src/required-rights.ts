import { selfSubjectAccessReviews } from '@arc/api/core';
import { controllerRules, leaderElectionRules } from '@arc/api/rbac';
import type { PolicyRule } from '@arc/api/rbac';
import { apiVersionOf } from '@arc/apimachinery';
import type { KubeObject } from '@arc/apimachinery';
import { ArcError } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';

interface AccessReview extends KubeObject {
  readonly spec: { readonly resourceAttributes: Readonly<Record<string, string>> };
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
  const wanted = [...attributesOf(controllerRules), ...(namespace === undefined ? [] : attributesOf(leaderElectionRules, namespace))];
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
  const missing = wanted.filter((_attributes, at) => answers[at] !== true).map(describe);
  if (missing.length === 0) return;
  const more = missing.length > shownAtMost ? ` and ${missing.length - shownAtMost} more` : '';
  throw new ArcError('RightsMissing', `this user may not ${missing.slice(0, shownAtMost).join('; ')}${more}`, {
    hint: 'Apply deploy/rbac.yaml, or bind the ClusterRole arc-controller-manager to the user that runs the controllers.',
  });
}

function attributesOf(rules: readonly PolicyRule[], namespace?: string): Readonly<Record<string, string>>[] {
  return rules.flatMap(({ apiGroups = [], resources = [], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((path) => {
        const [resource = '', subresource] = path.split('/');
        return verbs.map((verb) => ({
          ...{ group, resource, verb },
          ...(subresource !== undefined && { subresource }),
          ...(namespace !== undefined && { namespace }),
        }));
      }),
    ),
  );
}

function describe({ group = '', resource = '', subresource, verb = '', namespace }: Readonly<Record<string, string>>): string {
  const kind = `${resource}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  return `${verb} ${kind}${namespace === undefined ? ' in all namespaces' : ` in ${namespace}`}`;
}
