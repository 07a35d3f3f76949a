import type { KindDefinition } from '@arc/apimachinery';
import type { CachedResource, ResourceCache, WatchCache } from '@arc/storage';

/** The cache of a stored kind by its group and plural; undefined when the server does not store such a kind. */
export type CacheLookup = (group: string, plural: string) => ResourceCache | undefined;

/** @param cached from `cachedResources`. */
export function cacheLookup(cache: WatchCache, cached: ReadonlyMap<KindDefinition, CachedResource>): CacheLookup {
  return (group, plural) => {
    for (const [definition, resource] of cached) {
      if (definition.group === group && definition.names.plural === plural) return cache.resource(resource);
    }
    return undefined;
  };
}
