import { orders } from '@arc/api/arc';
import { leases, namespaces, serviceAccounts, subjectAccessReviews, type Lease } from '@arc/api/core';
import {
  controllerRules,
  describeAccess,
  installedAccounts,
  leaderElectionRules,
  resourceAttributesOf,
  workflowAccount,
  workflowRules,
  type ResourceAttributes,
} from '@arc/api/rbac';
import { apiVersionOf, type KubeObject } from '@arc/apimachinery/client';
import { orUndefined } from './apis.ts';
import { some, type Check, type Finding, type Patient } from './check.ts';

const leaseName = 'arc.opendefense.cloud';

/** Whether somebody leads ARC's controllers. */
export const leaderCheck: Check = {
  id: 'leader',
  title: 'Controllers',
  inClusters: true,
  async look(patient) {
    const { client, installedIn, signal } = patient;
    const lease = await orUndefined(client.get<Lease>(leases, { namespace: installedIn, name: leaseName }, { signal }));
    const remedy = `Look at the pods of arc-controller-manager in ${installedIn} and their log; /readyz says what they miss.`;
    if (lease === undefined)
      return [{ verdict: 'failed', seen: `nobody has ever led the controllers: no Lease ${installedIn}/${leaseName}`, remedy }];
    return [tenure(patient, lease, 'the controllers', remedy)];
  },
};

/** Whether Argo's controller works, where its leader election shows it. */
export const argoCheck: Check = {
  id: 'argo',
  title: 'Argo Workflows',
  inClusters: true,
  async look(patient) {
    const { client, signal } = patient;
    const { items } = await client.list<Lease>(leases, { fieldSelector: 'metadata.name=workflow-controller', signal });
    const remedy = "Look at the pods of Argo's workflow-controller and their log.";
    if (items.length === 0) {
      return [{ verdict: 'warning', seen: "no Lease workflow-controller shows whether Argo's controller works", remedy }];
    }
    return items.map((lease) => tenure(patient, lease, `Argo's controller of ${lease.metadata.namespace ?? ''}`, remedy));
  },
};

function tenure({ clock }: Patient, { spec = {} }: Lease, who: string, remedy: string): Finding {
  const { holderIdentity = '', renewTime, leaseDurationSeconds = 15 } = spec;
  if (holderIdentity === '') return { verdict: 'failed', seen: `nobody leads ${who}`, remedy };
  const ageSeconds = renewTime === undefined ? Infinity : (clock.now() - Date.parse(renewTime)) / 1000;
  // Two clocks may differ by as much as one more tenure.
  if (ageSeconds <= 2 * leaseDurationSeconds) return { verdict: 'ok', seen: `${holderIdentity} leads ${who}` };
  return { verdict: 'failed', seen: `${holderIdentity} has led ${who}, and has not been heard of for ${Math.round(ageSeconds)} s`, remedy };
}

interface SubjectAccessReview extends KubeObject {
  readonly spec: { readonly user: string; readonly groups: readonly string[]; readonly resourceAttributes: ResourceAttributes };
  readonly status?: { readonly allowed?: boolean };
}

/** Whether the account of the controllers may do all that they do. */
export const rightsCheck: Check = {
  id: 'rights',
  title: 'Rights',
  inClusters: true,
  async look(patient) {
    const { installedIn } = patient;
    const account = { namespace: installedIn, name: installedAccounts.controllerManager };
    const wanted = [...resourceAttributesOf(controllerRules), ...resourceAttributesOf(leaderElectionRules, installedIn)];
    const missing = await missingRights(patient, account, wanted);
    if (missing.length === 0) return [{ verdict: 'ok', seen: `${installedIn}/${account.name} may do what the controllers do` }];
    return [
      {
        verdict: 'failed',
        seen: `${installedIn}/${account.name} may not ${some(missing.map(describeAccess))}`,
        remedy: 'Apply deploy/rbac.yaml, or run helm upgrade.',
      },
    ];
  },
};

async function missingRights(
  { client, signal }: Patient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  wanted: readonly ResourceAttributes[],
): Promise<readonly ResourceAttributes[]> {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  const answers = await Promise.all(
    wanted.map(async (resourceAttributes) => {
      const review: SubjectAccessReview = {
        ...{ apiVersion: apiVersionOf(subjectAccessReviews), kind: subjectAccessReviews.kind, metadata: {} },
        spec: { user: `system:serviceaccount:${namespace}:${name}`, groups, resourceAttributes },
      };
      return (await client.create<SubjectAccessReview>(subjectAccessReviews, review, { signal })).status?.allowed === true;
    }),
  );
  return wanted.filter((_attributes, at) => answers[at] !== true);
}

/** Whether namespaces with Orders have an account whose pods may report to Argo: without it steps hang. */
export const tenantsCheck: Check = {
  id: 'tenants',
  title: 'Namespaces with Orders',
  inClusters: true,
  async look(patient) {
    const { client, signal } = patient;
    const { items } = await client.list(orders, { metadataOnly: true, signal });
    const tenants = [...new Set(items.map(({ metadata }) => metadata.namespace ?? ''))].sort();
    const lacking: string[] = [];
    for (const namespace of tenants) {
      const own = (await client.get(namespaces, { name: namespace }, { signal })).metadata.annotations?.[
        'arc.opendefense.cloud/service-account'
      ];
      const account = { namespace, name: own ?? workflowAccount };
      const exists = (await orUndefined(client.get(serviceAccounts, account, { signal }))) !== undefined;
      const missing = exists ? await missingRights(patient, account, resourceAttributesOf(workflowRules, namespace)) : [];
      if (!exists || missing.length > 0) lacking.push(`${namespace}/${account.name}`);
    }
    if (lacking.length === 0) return [{ verdict: 'ok', seen: `each of ${tenants.length} has an account for the pods of its Workflows` }];
    return [
      {
        verdict: 'failed',
        seen: `pods of Workflows cannot report as ${some(lacking)}: the account, or its right to create workflowtaskresults, is missing`,
        remedy: 'Name the namespaces in the value "tenants" of the chart, or apply deploy/tenant-rbac.yaml in each.',
      },
    ];
  },
};

/** Namespaces that are being deleted and hang. */
export const namespacesCheck: Check = {
  id: 'namespaces',
  title: 'Namespaces',
  async look({ client, signal }) {
    interface Terminating extends KubeObject {
      readonly status?: { readonly conditions?: readonly { type: string; status: string; message?: string }[] };
    }
    const { items } = await client.list<Terminating>(namespaces, { signal });
    const hanging = items.flatMap(({ metadata, status }) => {
      if (metadata.deletionTimestamp === undefined) return [];
      const reasons = (status?.conditions ?? []).filter((condition) => condition.status === 'True').map(({ message = '' }) => message);
      return [`${metadata.name ?? ''}${reasons.length === 0 ? '' : ` (${reasons.join(' ')})`}`];
    });
    if (hanging.length === 0) return [{ verdict: 'ok', seen: 'none is being deleted' }];
    return [
      {
        verdict: 'warning',
        seen: `being deleted: ${some(hanging)}`,
        remedy:
          'When one stays so, bring every APIService back or delete those of servers that are gone: a namespace goes only when all of them answer.',
      },
    ];
  },
};
