import { encodeForStorage, type KubeObject, type UnstructuredObject } from '@arc/apimachinery';
import { assertDecodable, type StoredValue } from '@arc/storage';
import type { ServedResource } from '../registry/served-resource.ts';
import { parseBytes } from '../representation/object-view.ts';

/** The present state of one object, as a write starts from it. */
export interface CurrentObject {
  readonly revision: number;
  /** In its served form, with resourceVersion. A fresh copy that may be changed. */
  parse(): UnstructuredObject;
}

/**
 * The newest state this server knows; the caller has waited until that is fresh.
 * @throws StorageError `Undecodable`
 */
export function currentFromCache(resource: ServedResource, namespace: string, name: string): CurrentObject | undefined {
  const cached = resource.cache?.get(namespace, name);
  return cached === undefined ? undefined : { revision: cached.revision, parse: () => toServed(resource, parseBytes(cached.bytes)) };
}

/**
 * The state that made a compare-and-swap fail.
 * @throws StorageError `Undecodable`
 */
export function currentFromStore(resource: ServedResource, stored: StoredValue | undefined): CurrentObject | undefined {
  if (stored === undefined) return undefined;
  assertDecodable(stored);
  return {
    revision: stored.revision,
    parse: () => {
      const object = toServed(resource, parseBytes(stored.value));
      object.metadata.resourceVersion = String(stored.revision);
      return object;
    },
  };
}

/** The bytes of an object in its served form as they are stored. */
export function storedBytes(resource: ServedResource, object: KubeObject): Uint8Array {
  return encodeForStorage(resource.conversion === undefined ? object : resource.conversion.toStored(object)).bytes;
}

function toServed(resource: ServedResource, object: KubeObject): UnstructuredObject {
  return (resource.conversion === undefined ? object : resource.conversion.fromStored(object)) as UnstructuredObject;
}
