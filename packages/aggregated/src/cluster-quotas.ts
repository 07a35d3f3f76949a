import { isStatusReason, type KubeObject, type ResourceType } from '@arc/apimachinery';
import type { ExceededQuota, QuotaDemand, QuotaLedger } from '@arc/apiserver';
import type { Informer, KubeClient } from '@arc/kube-client';

export const resourceQuotas: ResourceType = { group: '', version: 'v1', kind: 'ResourceQuota', plural: 'resourcequotas', namespaced: true };

type Counts = Readonly<Record<string, string>>;

/** As much of a ResourceQuota as counting objects needs. */
export interface ResourceQuota extends KubeObject {
  readonly spec?: { readonly hard?: Counts; readonly scopes?: readonly string[]; readonly scopeSelector?: object };
  readonly status?: { readonly hard?: Counts; readonly used?: Counts };
}

/** Several servers, and kube-controller-manager, write the same status. */
const maxAttempts = 8;

/**
 * Charges new objects to the ResourceQuotas of their namespace (wire contract 6.7). kube-controller-manager counts what is there, and
 * corrects what was charged for objects that were not stored in the end.
 *
 * @param watched says which quotas there are; what they say is asked for anew when somebody else has written first.
 */
export function clusterQuotas(
  client: Pick<KubeClient, 'get' | 'updateStatus'>,
  watched: Pick<Informer<ResourceQuota>, 'list'>,
): QuotaLedger {
  const charge = async (quota: ResourceQuota, resource: string, signal: AbortSignal): Promise<ExceededQuota | undefined> => {
    const { namespace = '', name = '' } = quota.metadata;
    for (let current = quota, attempt = 1; ; attempt++) {
      try {
        if (attempt > 1) current = await client.get<ResourceQuota>(resourceQuotas, { namespace, name }, { signal });
        const exceeded = exceededBy(current, resource);
        if (exceeded !== undefined) return exceeded;
        const used = { ...current.status?.used, [resource]: String(countOf(current.status?.used?.[resource]) + 1) };
        await client.updateStatus(resourceQuotas, { ...current, status: { ...current.status, used } }, { signal });
        return undefined;
      } catch (error) {
        if (isStatusReason(error, 'NotFound')) return undefined;
        if (!isStatusReason(error, 'Conflict') || attempt === maxAttempts) throw error;
      }
    }
  };
  return {
    async charge({ namespace, group, plural, dryRun }: QuotaDemand, signal) {
      const resource = group === '' ? `count/${plural}` : `count/${plural}.${group}`;
      const quotas = watched.list(namespace).filter((quota) => limits(quota, resource));
      // None is charged for what another one forbids.
      for (const quota of quotas) {
        const exceeded = exceededBy(quota, resource);
        if (exceeded !== undefined) return exceeded;
      }
      if (dryRun) return undefined;
      for (const quota of quotas) {
        const exceeded = await charge(quota, resource, signal);
        if (exceeded !== undefined) return exceeded;
      }
      return undefined;
    },
  };
}

/** Quotas with scopes count pods only. */
function limits({ spec = {} }: ResourceQuota, resource: string): boolean {
  return spec.hard?.[resource] !== undefined && (spec.scopes ?? []).length === 0 && spec.scopeSelector === undefined;
}

function exceededBy({ metadata, spec, status }: ResourceQuota, resource: string): ExceededQuota | undefined {
  const limited = spec?.hard?.[resource] ?? '0';
  const used = status?.used?.[resource] ?? '0';
  return countOf(used) + 1 > countOf(limited) ? { quota: metadata.name ?? '', resource, used, limited } : undefined;
}

const suffixes: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

/** A quantity of whole objects; one that cannot be read, which the core API would not have taken, allows none. */
function countOf(quantity = '0'): number {
  const [, digits = '', suffix = ''] = /^(\d+)([A-Za-z]*)$/.exec(quantity) ?? [];
  return Number(digits) * (suffixes[suffix] ?? 0);
}
