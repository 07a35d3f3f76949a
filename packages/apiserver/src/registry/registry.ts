import {
  fieldAt,
  type KindDefinition,
  type KubeObject,
  type ScalePaths,
  type StructuralSchema,
  type UnstructuredObject,
  type Verb,
} from '@arc/apimachinery';
import { ArcError } from '@arc/kernel';
import type { CachedResource, WatchCache } from '@arc/storage';
import type { Encodings } from '../representation/encodings.ts';
import type { Connector, ReviewHandler } from './connector.ts';
import type { Conversion, ServedResource } from './served-resource.ts';

/** Every resource a server knows. */
export interface Registry {
  readonly resources: readonly ServedResource[];
  find(group: string, version: string, plural: string): ServedResource | undefined;
  serves(group: string, version?: string): boolean;
}

export interface RegistryOptions {
  readonly kinds: readonly KindDefinition[];
  readonly connectors: readonly Connector[];
  readonly reviewHandlers: readonly ReviewHandler[];
  readonly cache: WatchCache;
  /** From `cachedResources`. */
  readonly cached: ReadonlyMap<KindDefinition, CachedResource>;
  readonly encodings: Encodings;
}

const allVerbs: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/**
 * How the kinds that are stored are kept: keys are `<storagePrefix>/<group>/<plural>/...`, with `core` for the core group.
 * @param storagePrefix without a trailing slash.
 */
export function cachedResources(kinds: readonly KindDefinition[], storagePrefix: string): ReadonlyMap<KindDefinition, CachedResource> {
  return new Map(
    kinds.filter(isStored).map((definition) => [
      definition,
      {
        prefix: `${storagePrefix}/${definition.group === '' ? 'core' : definition.group}/${definition.names.plural}/`,
        namespaced: definition.scope === 'Namespaced',
        fieldsOf: selectableFields(definition),
      },
    ]),
  );
}

function isStored(definition: KindDefinition): boolean {
  return (definition.verbs ?? allVerbs).includes('get');
}

/** @throws ArcError `InvalidKind` when kinds, connectors or review handlers do not fit together. */
export function createRegistry(options: RegistryOptions): Registry {
  const resources = options.kinds.flatMap((definition) => servedResources(definition, options));
  const byName = new Map<string, ServedResource>();
  for (const resource of resources) {
    const name = `${resource.type.group}/${resource.type.version}/${resource.type.plural}`;
    if (byName.has(name)) throw invalid(`${name} is defined twice`);
    byName.set(name, resource);
  }
  for (const connector of options.connectors) {
    const known = resources.some(({ type }) => type.group === connector.group && type.plural === connector.plural);
    if (!known) throw invalid(`a connector is given for ${connector.group}/${connector.plural}, which is no kind of this server`);
  }
  return {
    resources,
    find: (group, version, plural) => byName.get(`${group}/${version}/${plural}`),
    serves: (group, version) => resources.some(({ type }) => type.group === group && (version === undefined || type.version === version)),
  };
}

function servedResources(definition: KindDefinition, options: RegistryOptions): ServedResource[] {
  const { group, names } = definition;
  const cached = options.cached.get(definition);
  const review = options.reviewHandlers.find((handler) => handler.group === group && handler.plural === names.plural);
  if (cached === undefined && review === undefined) throw invalid(`${group}/${names.plural} is never stored and has no review handler`);
  const scale = definition.subresources?.scale;
  if (scale !== undefined) assertScalePaths(definition, scale);
  const cache = cached === undefined ? undefined : options.cache.resource(cached);
  const prefix = cached?.prefix ?? '';

  const resource = (served: KindDefinition, conversion: Conversion | undefined): ServedResource => ({
    definition: served,
    stored: definition,
    conversion,
    type: {
      group: served.group,
      version: served.version,
      plural: served.names.plural,
      kind: served.kind,
      namespaced: served.scope === 'Namespaced',
    },
    verbs: new Set(served.verbs ?? allVerbs),
    connectors: options.connectors.filter(({ group, plural }) => group === served.group && plural === served.names.plural),
    prefix,
    cache,
    encodings: options.encodings,
    review,
  });
  const others = (definition.servedAlsoAs ?? []).map(({ definition: other, ...conversion }) => resource(other, conversion));
  return [resource(definition, undefined), ...others];
}

/** As CustomResourceDefinitions demand it (wire contract 2.8). */
function assertScalePaths({ group, names, schema }: KindDefinition, paths: ScalePaths): void {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = paths;
  const check = (path: string, below: readonly string[], type: string): void => {
    const [, ...fields] = path.split('.');
    const declared = fields.reduce<StructuralSchema | undefined>((at, name) => at?.properties?.[name], schema);
    if (below.some((start) => path.startsWith(`${start}.`)) && declared?.type === type) return;
    throw invalid(
      `${group}/${names.plural} has its scale at ${JSON.stringify(path)}, where its schema has no ${type} below ${below.join(' or ')}`,
    );
  };
  check(specReplicasPath, ['.spec'], 'integer');
  check(statusReplicasPath, ['.status'], 'integer');
  if (labelSelectorPath !== undefined) check(labelSelectorPath, ['.spec', '.status'], 'string');
}

/** Reads the selectable fields of a kind, and of the forms it is also served in, from one stored object. */
function selectableFields(definition: KindDefinition): CachedResource['fieldsOf'] {
  const own = definition.selectableFields ?? [];
  const others = (definition.servedAlsoAs ?? []).filter(({ definition: other }) => (other.selectableFields ?? []).length > 0);
  return (object) => {
    const fields: Record<string, string> = {};
    const read = (from: Readonly<Record<string, unknown>>, paths: readonly string[]): void => {
      for (const path of paths) fields[path] ??= fieldAt(from, path);
    };
    read(object, own);
    for (const { definition: other, fromStored } of others) {
      read(fromStored(object as unknown as KubeObject) as UnstructuredObject, other.selectableFields ?? []);
    }
    return fields;
  };
}

function invalid(message: string): ArcError {
  return new ArcError('InvalidKind', message, { hint: 'Correct the list of kinds the server is created with.' });
}
