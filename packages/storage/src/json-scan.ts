const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Where the value of the member `name` of the object at `open` begins. */
export function findMember(bytes: Uint8Array, open: number, name: string): number | undefined {
  let found: number | undefined;
  scanObject(bytes, open, (keyStart, keyEnd, valueStart) => {
    if (!isKey(bytes, keyStart, keyEnd, name)) return true;
    found = valueStart;
    return false;
  });
  return found;
}

/** Where the value of a member of the object that is the whole text begins and ends. */
export function topLevelMember(bytes: Uint8Array, name: string): { readonly start: number; readonly end: number } | undefined {
  const start = findMember(bytes, skipSpace(bytes, 0), name);
  return start === undefined ? undefined : { start, end: skipValue(bytes, start) };
}

type OnMember = (keyStart: number, keyEnd: number, valueStart: number) => boolean;

/**
 * Visits the members of the object whose brace is at `open`; returns the index after its closing brace, or undefined
 * when `onMember` returned false or the text is not an object.
 */
export function scanObject(bytes: Uint8Array, open: number, onMember: OnMember): number | undefined {
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

/** The index of the first byte at or after `from` that is not white space. */
export function skipSpace(bytes: Uint8Array, from: number): number {
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

/** The index after the value at `from`. */
export function skipValue(bytes: Uint8Array, from: number): number {
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
export function isKey(bytes: Uint8Array, start: number, end: number, name: string): boolean {
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
