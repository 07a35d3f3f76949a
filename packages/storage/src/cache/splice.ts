const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

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

/** Where the value of the member `name` of the object at `open` begins. */
function findMember(bytes: Uint8Array, open: number, name: string): number | undefined {
  let found: number | undefined;
  scanObject(bytes, open, (keyStart, keyEnd, valueStart) => {
    if (!isKey(bytes, keyStart, keyEnd, name)) return true;
    found = valueStart;
    return false;
  });
  return found;
}

function membersBut(bytes: Uint8Array, open: number, dropped: string): Uint8Array[] {
  const kept: Uint8Array[] = [];
  scanObject(bytes, open, (keyStart, keyEnd, valueStart) => {
    if (!isKey(bytes, keyStart, keyEnd, dropped)) kept.push(bytes.subarray(keyStart, skipValue(bytes, valueStart)));
    return true;
  });
  return kept;
}

type OnMember = (keyStart: number, keyEnd: number, valueStart: number) => boolean;

/**
 * Visits the members of the object whose brace is at `open`; returns the index after its closing brace, or undefined
 * when `onMember` returned false or the text is not an object.
 */
function scanObject(bytes: Uint8Array, open: number, onMember: OnMember): number | undefined {
  if (bytes[open] !== openBrace) return undefined;
  let at = skipSpace(bytes, open + 1);
  if (bytes[at] === closeBrace) return at + 1;
  while (bytes[at] === quote) {
    const keyEnd = skipString(bytes, at);
    const separator = skipSpace(bytes, keyEnd);
    if (bytes[separator] !== colon) return undefined;
    const valueStart = skipSpace(bytes, separator + 1);
    if (!onMember(at, keyEnd, valueStart)) return undefined;
    at = skipSpace(bytes, skipValue(bytes, valueStart));
    if (bytes[at] === closeBrace) return at + 1;
    if (bytes[at] !== comma) return undefined;
    at = skipSpace(bytes, at + 1);
  }
  return undefined;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  return at;
}

/** `from` is at the opening quote; returns the index after the closing one. */
function skipString(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at + 1;
}

function skipValue(bytes: Uint8Array, from: number): number {
  const first = bytes[from];
  if (first === quote) return skipString(bytes, from);
  if (first === openBrace || first === openBracket) return skipNested(bytes, from);
  let at = from;
  while (at < bytes.length && bytes[at] !== comma && bytes[at] !== closeBrace && bytes[at] !== closeBracket) at += 1;
  return at;
}

function skipNested(bytes: Uint8Array, from: number): number {
  let depth = 0;
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === quote) {
      at = skipString(bytes, at);
      continue;
    }
    at += 1;
    if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) depth -= 1;
    if (depth === 0) break;
  }
  return at;
}

/** Compares the quoted key at `start` to `name`, which is plain ASCII. */
function isKey(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  const length = end - start - 2;
  if (length < name.length) return false;
  if (length > name.length) return holdsEscape(bytes, start, end) && decodedKey(bytes, start, end) === name;
  for (let i = 0; i < length; i++) if (bytes[start + 1 + i] !== name.charCodeAt(i)) return false;
  return true;
}

function holdsEscape(bytes: Uint8Array, start: number, end: number): boolean {
  const found = bytes.indexOf(backslash, start);
  return found >= 0 && found < end;
}

function decodedKey(bytes: Uint8Array, start: number, end: number): unknown {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8'));
}
