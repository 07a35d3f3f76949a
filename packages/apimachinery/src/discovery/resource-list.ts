import type { KindDefinition } from '../kind/kind.ts';
import type { Hashes } from './hashes.ts';
import { scaleKind } from '../scale/scale-kind.ts';
import { scaleVerbs, statusVerbs, verbsOf } from './served-kinds.ts';
import type { ExtraSubresource, ServedGroupVersion, ServedKind } from './served-kinds.ts';

/** The entries of an APIResourceList; subresources follow their parent (wire contract 1.1). */
export function resourcesOf({ kinds }: ServedGroupVersion, hashes: Hashes): unknown[] {
  return kinds.flatMap((served) => {
    const { definition } = served;
    return [
      mainResource(served, hashes),
      ...(definition.subresources?.status === true ? [subresource(definition, 'status', statusVerbs)] : []),
      ...(definition.subresources?.scale === undefined
        ? []
        : [foreignSubresource(definition, { subresource: 'scale', verbs: scaleVerbs, responseKind: scaleKind })]),
      ...served.extraSubresources.map((extra) => foreignSubresource(definition, extra)),
    ];
  });
}

/** base64 of the first 8 bytes of SHA-256 of `group/version/Kind` of the stored form. */
function storageVersionHash({ group, version, kind }: KindDefinition, hashes: Hashes): string {
  return Buffer.from(hashes.sha256(`${group}/${version}/${kind}`).subarray(0, 8)).toString('base64');
}

function mainResource({ definition, stored }: ServedKind, hashes: Hashes): unknown {
  const { names, scope, kind } = definition;
  const verbs = verbsOf(definition);
  return {
    name: names.plural,
    singularName: names.singular,
    namespaced: scope === 'Namespaced',
    kind,
    verbs,
    ...(names.shortNames !== undefined && { shortNames: names.shortNames }),
    ...(names.categories !== undefined && { categories: names.categories }),
    ...(verbs.includes('get') && { storageVersionHash: storageVersionHash(stored, hashes) }),
  };
}

function subresource({ names, scope, kind }: KindDefinition, name: string, verbs: readonly string[]): unknown {
  return { name: `${names.plural}/${name}`, singularName: '', namespaced: scope === 'Namespaced', kind, verbs };
}

/** A subresource that may answer objects of another kind. */
function foreignSubresource(definition: KindDefinition, extra: Pick<ExtraSubresource, 'subresource' | 'verbs' | 'responseKind'>): unknown {
  const { responseKind } = extra;
  const foreign = responseKind !== undefined && (responseKind.group !== definition.group || responseKind.version !== definition.version);
  return {
    name: `${definition.names.plural}/${extra.subresource}`,
    singularName: '',
    namespaced: definition.scope === 'Namespaced',
    ...(foreign && { group: responseKind.group, version: responseKind.version }),
    kind: responseKind?.kind ?? definition.kind,
    verbs: [...extra.verbs].sort(),
  };
}
