import { arcKindsWithin } from '@arc/api/arc';
import type { CronLimits } from '@arc/api/arc';
import { argoKinds } from '@arc/api/argo';
import { coreKinds, customResourceDefinitionDefinition } from '@arc/api/core';
import { rbacKinds } from '@arc/api/rbac';
import type { KindDefinition } from '@arc/apimachinery';
import type { ServedResource } from '@arc/storage';

/** What an embedded server has beside the kinds of every standalone server. */
export function embeddedKinds(limits: CronLimits = {}): readonly KindDefinition[] {
  return [customResourceDefinitionDefinition, ...argoKinds, ...arcKindsWithin(limits)];
}

/** The resources of an embedded server, as they are named in the keys of its storage. */
export function servedResources(): readonly ServedResource[] {
  return [...coreKinds, ...rbacKinds, ...embeddedKinds()].map(({ group, names, scope }) => ({
    group,
    plural: names.plural,
    namespaced: scope === 'Namespaced',
  }));
}
