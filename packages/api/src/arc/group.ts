import type { KindDefinition, KubeObject, ResourceType } from '@arc/apimachinery';

export const arcGroup = 'arc.opendefense.cloud';
export const arcVersion = 'v1alpha1';
export const arcApiVersion = `${arcGroup}/${arcVersion}`;

/** The category every ARC kind is in: `kubectl get arc`. */
export const arcCategory = 'arc';

/** Names the resource a definition is served under. */
export function resourceOf<T extends KubeObject>(definition: KindDefinition<T>): ResourceType {
  const { group, version, kind, names, scope } = definition;
  return { group, version, kind, plural: names.plural, namespaced: scope === 'Namespaced' };
}
