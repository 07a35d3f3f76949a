import { topLevelMember } from '@arc/storage';

const quote = 0x22;
/** Before the name of a field in `managedFields`: `"f:`. */
const fieldMark = Buffer.from('"f:');

/**
 * An object with one API group called by another name: in its `apiVersion`, and in its metadata wherever a text begins with
 * the group and a slash, which is in owner references, finalizers, the keys of labels and annotations, and managed fields. All
 * else stays byte for byte. Its inverse, but for an object that used both names, is the same call with the names exchanged.
 */
export function renameGroup(value: Uint8Array, from: string, to: string): Uint8Array {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const [old, renamed] = [Buffer.from(`${from}/`), Buffer.from(`${to}/`)];
  // Most that are not of the group never name it.
  if (!bytes.includes(old)) return value;
  const places = ['apiVersion', 'metadata'].flatMap((name) => placesIn(bytes, topLevelMember(bytes, name), old));
  if (places.length === 0) return value;
  const result = new Uint8Array(bytes.length + places.length * (renamed.length - old.length));
  let read = 0;
  let written = 0;
  for (const place of places.sort((a, b) => a - b)) {
    result.set(bytes.subarray(read, place), written);
    written += place - read;
    result.set(renamed, written);
    written += renamed.length;
    read = place + old.length;
  }
  result.set(bytes.subarray(read), written);
  return result;
}

/** Where a text that begins with `wanted` does so. */
function placesIn(bytes: Buffer, span: { readonly start: number; readonly end: number } | undefined, wanted: Buffer): number[] {
  const places: number[] = [];
  if (span === undefined) return places;
  for (let at = bytes.indexOf(wanted, span.start); at >= 0 && at < span.end; at = bytes.indexOf(wanted, at + wanted.length)) {
    // The quote may be one within a text: that of a finalizer in managed fields, or of an object in an annotation.
    if (bytes[at - 1] === quote || bytes.subarray(at - fieldMark.length, at).equals(fieldMark)) places.push(at);
  }
  return places;
}
