import { stringifyJson } from '../json/stringify.ts';
import type { KubeObject, ObjectMeta } from '../meta/types.ts';

/** An object as compact JSON. `metadata` is the byte range of the value of the metadata field: `[start, end)`. */
export interface EncodedObject {
  readonly bytes: Uint8Array;
  readonly metadata: readonly [start: number, end: number];
}

/** Encodes an object in the canonical key order: `{"apiVersion":"..","kind":"..","metadata":{..}` first, then the rest as it stands. */
export function encodeObject(object: KubeObject): EncodedObject {
  return encode(object, object.metadata);
}

/**
 * Encodes an object as it is stored: as `encodeObject` does, but without `metadata.resourceVersion`, which is known
 * only once the write has its revision (design, section 3).
 */
export function encodeForStorage(object: KubeObject): EncodedObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return encode(object, metadata);
}

function encode(object: KubeObject, meta: ObjectMeta): EncodedObject {
  const { apiVersion, kind, metadata: _, ...rest } = object;
  const head = `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(kind)},"metadata":`;
  const metadata = stringifyJson(meta);
  const tail = stringifyJson(rest);
  const start = Buffer.byteLength(head);
  return {
    bytes: Buffer.from(`${head}${metadata}${tail === '{}' ? '}' : `,${tail.slice(1)}`}`),
    metadata: [start, start + Buffer.byteLength(metadata)],
  };
}
