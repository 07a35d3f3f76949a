import { deepEqual, isStatusReason, labelSelectorOf, matchesLabels } from '@arc/apimachinery';
import { clusterRoles } from '@arc/api/rbac';
import type { ClusterRole, PolicyRule } from '@arc/api/rbac';
import type { ControllerDefinition } from '@arc/controller';
import type { Clock, Logger } from '@arc/kernel';
import { createInformer } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';

export interface ClusterRoleAggregationOptions {
  readonly client: KubeClient;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/**
 * Writes the rules of ClusterRoles with an aggregationRule: those of every ClusterRole one of their selectors matches, in
 * order of name, each once. Needs the verb `escalate` on them.
 */
export function clusterRoleAggregation({ client, ...options }: ClusterRoleAggregationOptions): ControllerDefinition {
  const informer = createInformer<ClusterRole>(client, clusterRoles, options);
  const aggregated = (): ClusterRole[] => informer.list().filter(({ aggregationRule }) => aggregationRule !== undefined);
  return {
    name: 'cluster-role-aggregation',
    workers: 1,
    sources: [{ informer, requests: () => aggregated().map(({ metadata }) => ({ name: metadata.name ?? '' })) }],
    reconcile: async ({ name }, signal) => {
      const role = informer.get(undefined, name);
      if (role?.aggregationRule === undefined) return undefined;
      const rules = gatheredRules(role, informer.list());
      if (deepEqual(rules, role.rules ?? [])) return undefined;
      const { resourceVersion } = role.metadata;
      try {
        await client.patch(clusterRoles, { name }, { metadata: { resourceVersion }, rules }, { signal });
      } catch (error) {
        if (!isStatusReason(error, 'NotFound') && !isStatusReason(error, 'Conflict')) throw error;
      }
      return undefined;
    },
  };
}

/** What a role with an aggregationRule consists of, given all roles. */
export function gatheredRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).map(labelSelectorOf);
  const name = (each: ClusterRole): string => each.metadata.name ?? '';
  const rules = all
    .filter((each) => name(each) !== name(role) && selectors.some((selector) => matchesLabels(selector, each.metadata.labels ?? {})))
    .toSorted((a, b) => (name(a) < name(b) ? -1 : 1))
    .flatMap((each) => each.rules ?? []);
  const distinct = new Map(rules.map((rule) => [JSON.stringify(rule), rule]));
  return [...distinct.values()];
}
