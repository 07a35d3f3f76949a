import { findMember, isKey, scanObject, skipSpace, skipValue } from '../json-scan.ts';

const comma = 0x2c;
const openBrace = 0x7b;

export interface Spliced {
  /** The object with its revision in place; exactly as long as its buffer. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the value of `metadata` begins and ends in `bytes`. */
  readonly metadataStart: number;
  readonly metadataEnd: number;
}

/**
 * Copies the JSON object `value` with `"resourceVersion":"<revision>"` as the first member of its top-level `metadata`;
 * one that is there already is dropped. Everything else stays byte for byte. Returns undefined when there is no
 * top-level `metadata` object. `value` must be valid JSON: what is not may give nonsense, but always returns.
 */
export function spliceRevision(value: Uint8Array, revision: number): Spliced | undefined {
  const open = findMember(value, skipSpace(value, 0), 'metadata');
  if (open === undefined || value[open] !== openBrace) return undefined;
  let members = 0;
  let stale = false;
  const end = scanObject(value, open, (keyStart, keyEnd) => {
    members += 1;
    stale ||= isKey(value, keyStart, keyEnd, 'resourceVersion');
    return true;
  });
  if (end === undefined) return undefined;
  const kept = stale ? [...membersBut(value, open, 'resourceVersion')] : members === 0 ? [] : [value.subarray(open + 1, end - 1)];
  return assemble(value, open, end, kept, `"resourceVersion":"${revision}"`);
}

function assemble(value: Uint8Array, open: number, end: number, kept: readonly Uint8Array[], inserted: string): Spliced {
  const keptLength = kept.reduce((sum, part) => sum + part.length + 1, 0);
  const metadataEnd = open + 1 + inserted.length + keptLength + 1;
  const bytes = new Uint8Array(metadataEnd + value.length - end);
  bytes.set(value.subarray(0, open + 1));
  let at = open + 1;
  for (let i = 0; i < inserted.length; i++) bytes[at++] = inserted.charCodeAt(i);
  for (const part of kept) {
    bytes[at++] = comma;
    bytes.set(part, at);
    at += part.length;
  }
  bytes.set(value.subarray(end - 1), at);
  return { bytes, metadataStart: open, metadataEnd };
}

function membersBut(bytes: Uint8Array, open: number, dropped: string): Uint8Array[] {
  const kept: Uint8Array[] = [];
  scanObject(bytes, open, (keyStart, keyEnd, valueStart) => {
    if (!isKey(bytes, keyStart, keyEnd, dropped)) kept.push(bytes.subarray(keyStart, skipValue(bytes, valueStart)));
    return true;
  });
  return kept;
}
