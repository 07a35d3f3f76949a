import type { GroupVersionKind } from '../meta/types.ts';
import { scaleKind } from '../scale/scale-kind.ts';
import { scaleVerbs, statusVerbs, verbsOf } from './served-kinds.ts';
import type { ServedGroupVersion, ServedKind } from './served-kinds.ts';

/** The items of an APIGroupDiscoveryList, the same in v2 and v2beta1 (wire contract 1.2). */
export function aggregatedGroups(groupVersions: readonly ServedGroupVersion[]): unknown[] {
  return [...Map.groupBy(groupVersions, ({ group }) => group)].map(([group, versions]) => ({
    metadata: group === '' ? {} : { name: group },
    versions: versions.map(({ version, kinds }) => ({ version, resources: kinds.map(resourceOf), freshness: 'Current' })),
  }));
}

function resourceOf(served: ServedKind): unknown {
  const { definition } = served;
  const { names, scope } = definition;
  const subresources = subresourcesOf(served);
  return {
    resource: names.plural,
    responseKind: kindOf(definition),
    scope,
    singularResource: names.singular,
    verbs: verbsOf(definition),
    ...(names.shortNames !== undefined && { shortNames: names.shortNames }),
    ...(names.categories !== undefined && { categories: names.categories }),
    ...(subresources.length > 0 && { subresources }),
  };
}

function subresourcesOf({ definition, extraSubresources }: ServedKind): unknown[] {
  return [
    ...(definition.subresources?.status === true ? [{ subresource: 'status', responseKind: kindOf(definition), verbs: statusVerbs }] : []),
    ...(definition.subresources?.scale === undefined ? [] : [{ subresource: 'scale', responseKind: kindOf(scaleKind), verbs: scaleVerbs }]),
    ...extraSubresources.map(({ subresource, responseKind, verbs }) => ({
      subresource,
      responseKind: kindOf(responseKind ?? definition),
      verbs: [...verbs].sort(),
    })),
  ];
}

function kindOf({ group, version, kind }: GroupVersionKind): GroupVersionKind {
  return { group, version, kind };
}
