import { encodeObject, type KubeObject, parseJson, type TableCells, tableOf } from '@arc/apimachinery';
import { unshared } from '@arc/kernel';
import type { CachedObject } from '@arc/storage';
import type { ServedResource } from '../registry/served-resource.ts';

/** One object of a resource in its served form, ready to be written in any representation. */
export interface ObjectView {
  /** The object as JSON. */
  bytes(): Uint8Array;
  /** The JSON of its metadata. */
  metadata(): Uint8Array;
  /** Its row of the kind's table, without ages. */
  cells(): TableCells;
  /** A fresh copy for a cached object; otherwise shared and not to be changed. */
  parsed(): KubeObject;
}

/** An object of the watch cache. What is computed from it is kept with it. */
export function viewOfCached(resource: ServedResource, cached: CachedObject): ObjectView {
  const bytes = (): Uint8Array => servedBytes(resource, cached);
  const parsed = (): KubeObject => parseBytes(bytes());
  return {
    bytes,
    metadata: () => cached.metadata,
    cells: () => kept(resource, cached, `cells ${formOf(resource)}`, () => tableOf(resource.definition).cellsOf(parsed())),
    parsed,
  };
}

/** The bytes of a cached object in the form this resource serves. */
export function servedBytes(resource: ServedResource, cached: CachedObject): Uint8Array {
  const { conversion } = resource;
  if (conversion === undefined) return cached.bytes;
  return kept(resource, cached, formOf(resource), () => encodeObject(conversion.fromStored(parseBytes(cached.bytes))).bytes);
}

/** @param object in its served form, with its resourceVersion. */
export function viewOfObject(resource: ServedResource, object: KubeObject): ObjectView {
  let encoded: ReturnType<typeof encodeObject> | undefined;
  const encode = (): ReturnType<typeof encodeObject> => (encoded ??= encodeObject(object));
  return {
    bytes: () => encode().bytes,
    metadata: () => encode().bytes.subarray(...encode().metadata),
    cells: () => tableOf(resource.definition).cellsOf(object),
    parsed: () => object,
  };
}

export function parseBytes(bytes: Uint8Array): KubeObject {
  return parseJson(utf8(bytes)) as KubeObject;
}

export function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

/** Names the form a resource serves its objects in among all that the same stored objects are served in. */
export function formOf({ definition }: ServedResource): string {
  return `${definition.group}/${definition.version}`;
}

function kept({ encodings }: ServedResource, cached: CachedObject, form: string, make: () => Uint8Array): Uint8Array {
  const known = encodings.objects.get(cached, form);
  if (known !== undefined) return known;
  const made = unshared(make());
  encodings.objects.set(cached, form, made);
  return made;
}
