import { arcKinds } from '@arc/api/arc';
import { argoKinds } from '@arc/api/argo';
import { coreKinds, customResourceDefinitionDefinition } from '@arc/api/core';
import { rbacKinds } from '@arc/api/rbac';
import type { KindDefinition } from '@arc/apimachinery';
import type { ServedResource } from '@arc/storage';

/** What an embedded server has beside the kinds of every standalone server. */
export const embeddedKinds: readonly KindDefinition[] = [customResourceDefinitionDefinition, ...argoKinds, ...arcKinds];

/** The resources of an embedded server, as they are named in the keys of its storage. */
export function servedResources(): readonly ServedResource[] {
  return [...coreKinds, ...rbacKinds, ...embeddedKinds].map(({ group, names, scope }) => ({
    group,
    plural: names.plural,
    namespaced: scope === 'Namespaced',
  }));
}
