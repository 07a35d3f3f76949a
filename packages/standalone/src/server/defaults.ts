import { defaultNamespaces, namespaces } from '@arc/api/core';
import { isStatusReason } from '@arc/apimachinery';
import type { KindDefinition, ResourceType } from '@arc/apimachinery';
import type { KubeClient } from '@arc/kube-client';
import { ensureDefaultRbac } from '../default-rbac.ts';

/** What every server has from its first start on. Disposes the client, which is the administrator's. */
export async function createDefaults(administrator: KubeClient): Promise<void> {
  await using client = administrator;
  for (const namespace of defaultNamespaces()) {
    try {
      await client.create(namespaces, namespace);
    } catch (error) {
      if (!isStatusReason(error, 'AlreadyExists')) throw error;
    }
  }
  await ensureDefaultRbac(client);
}

/** The resources with stored objects, which the garbage collector and the namespace controller look after. */
export function storedTypes(kinds: readonly KindDefinition[]): readonly ResourceType[] {
  return kinds
    .filter(({ verbs }) => verbs === undefined || (verbs.includes('list') && verbs.includes('watch') && verbs.includes('delete')))
    .map(({ group, version, kind, names, scope }) => ({ group, version, kind, plural: names.plural, namespaced: scope === 'Namespaced' }));
}
