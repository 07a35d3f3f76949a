import type { KindDefinition, Verb } from '../kind/kind.ts';
import type { GroupVersionKind } from '../meta/types.ts';

/** What a server offers below an object besides `status`: `pods/log`. */
export interface ExtraSubresource {
  readonly group: string;
  readonly version: string;
  /** Plural of the resource it belongs to. */
  readonly resource: string;
  readonly subresource: string;
  readonly verbs: readonly Verb[];
  /** Default: the kind of the resource. */
  readonly responseKind?: GroupVersionKind;
  /** The media type of a GET. Default: JSON. */
  readonly mediaType?: string;
  readonly description?: string;
  readonly queryParameters?: readonly {
    readonly name: string;
    readonly type: 'boolean' | 'integer' | 'string';
    readonly description: string;
  }[];
}

/** What discovery and OpenAPI are made from. */
export interface ServedApi {
  /** In order of priority: the first kind of a group decides the group's place, the first version is the preferred one. */
  readonly kinds: readonly KindDefinition[];
  readonly extraSubresources?: readonly ExtraSubresource[];
}

export interface ServedKind {
  readonly definition: KindDefinition;
  /** The definition in whose form the objects are stored. */
  readonly stored: KindDefinition;
  readonly extraSubresources: readonly ExtraSubresource[];
}

export interface ServedGroupVersion {
  readonly group: string;
  readonly version: string;
  readonly kinds: readonly ServedKind[];
}

/** The kinds by group and version, with the other forms they are served in, all in order of first appearance. */
export function servedGroupVersions({ kinds, extraSubresources = [] }: ServedApi): ServedGroupVersion[] {
  const all = kinds.flatMap((stored) =>
    [stored, ...(stored.servedAlsoAs ?? []).map(({ definition }) => definition)].map((definition): ServedKind => ({
      definition,
      stored,
      extraSubresources: extraSubresources.filter(
        (extra) => extra.resource === definition.names.plural && extra.group === definition.group && extra.version === definition.version,
      ),
    })),
  );
  const groupVersions = Map.groupBy(all, ({ definition }) => `${definition.group}/${definition.version}`);
  return [...groupVersions.values()].flatMap((served) => {
    const [first] = served;
    return first === undefined ? [] : [{ group: first.definition.group, version: first.definition.version, kinds: served }];
  });
}

/** Every verb of a stored resource, sorted as discovery wants them. */
const allVerbs: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
export const statusVerbs: readonly Verb[] = ['get', 'patch', 'update'];
export const scaleVerbs: readonly Verb[] = ['get', 'patch', 'update'];

/** The verbs of a kind, sorted. */
export function verbsOf(definition: KindDefinition): readonly Verb[] {
  return definition.verbs === undefined ? allVerbs : [...definition.verbs].sort();
}
