import { exactNumber } from '../json/exact-integer.ts';
import { maxNestingDepth } from '../json/nesting.ts';
import { childPath, indexPath } from '../json/path.ts';
import { setOwn } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { DecodeError, positionAt } from './decode-error.ts';
import type { Decoded } from './decode-error.ts';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Decodes one JSON value (RFC 8259) and reports keys given twice, which `JSON.parse` hides (wire contract 2.4,
 * fieldValidation). Bytes that are not UTF-8 become U+FFFD, as in Kubernetes. Numbers are IEEE doubles,
 * integers beyond their reach bigints (`exactNumber`). `__proto__` is an ordinary key.
 *
 * @throws DecodeError with line and column.
 */
export function decodeJson(input: Uint8Array | string): Decoded {
  const text = typeof input === 'string' ? input : utf8.decode(input);
  const duplicates: string[] = [];
  const reader: Reader = { text, at: 0, duplicates };
  skipSpace(reader);
  const value = readValue(reader, '', 0);
  skipSpace(reader);
  if (reader.at < text.length) throw unexpected(reader, 'after top-level value');
  return { value, duplicates };
}

interface Reader {
  readonly text: string;
  at: number;
  readonly duplicates: string[];
}

const quote = 0x22;
const backslash = 0x5c;

function readValue(reader: Reader, path: string, depth: number): unknown {
  switch (reader.text.charCodeAt(reader.at)) {
    case 0x7b:
      return readObject(reader, path, depth + 1);
    case 0x5b:
      return readArray(reader, path, depth + 1);
    case quote:
      return readString(reader);
    case 0x74:
      return readLiteral(reader, 'true', true);
    case 0x66:
      return readLiteral(reader, 'false', false);
    case 0x6e:
      return readLiteral(reader, 'null', null);
    default:
      return readNumber(reader);
  }
}

function readObject(reader: Reader, path: string, depth: number): JsonObject {
  if (depth > maxNestingDepth) throw errorAt(reader, reader.at, `nested more than ${maxNestingDepth} levels deep`);
  const object: JsonObject = {};
  reader.at++;
  skipSpace(reader);
  if (takes(reader, 0x7d)) return object;
  for (;;) {
    if (reader.text.charCodeAt(reader.at) !== quote) throw unexpected(reader, 'looking for beginning of object key string');
    const key = readString(reader);
    const keyPath = childPath(path, key);
    if (Object.hasOwn(object, key)) reader.duplicates.push(keyPath);
    skipSpace(reader);
    if (!takes(reader, 0x3a)) throw unexpected(reader, 'after object key');
    skipSpace(reader);
    setOwn(object, key, readValue(reader, keyPath, depth));
    skipSpace(reader);
    if (takes(reader, 0x7d)) return object;
    if (!takes(reader, 0x2c)) throw unexpected(reader, 'after object key:value pair');
    skipSpace(reader);
  }
}

function readArray(reader: Reader, path: string, depth: number): unknown[] {
  if (depth > maxNestingDepth) throw errorAt(reader, reader.at, `nested more than ${maxNestingDepth} levels deep`);
  const array: unknown[] = [];
  reader.at++;
  skipSpace(reader);
  if (takes(reader, 0x5d)) return array;
  for (;;) {
    array.push(readValue(reader, indexPath(path, array.length), depth));
    skipSpace(reader);
    if (takes(reader, 0x5d)) return array;
    if (!takes(reader, 0x2c)) throw unexpected(reader, 'after array element');
    skipSpace(reader);
  }
}

function readString(reader: Reader): string {
  const { text } = reader;
  const start = reader.at + 1;
  let escaped = false;
  for (let at = start; ; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      reader.at = at + 1;
      if (!escaped) return text.slice(start, at);
      return unescaped(reader, start, at);
    }
    if (code === backslash) {
      escaped = true;
      at++;
    }
    // The comparison is written so that NaN (the end of the text) fails it too.
    if (!(text.charCodeAt(at) >= 0x20)) {
      reader.at = at;
      throw unexpected(reader, 'in string literal');
    }
  }
}

function unescaped(reader: Reader, start: number, end: number): string {
  try {
    return JSON.parse(reader.text.slice(start - 1, end + 1)) as string;
  } catch {
    throw errorAt(reader, start - 1, 'invalid escape in string literal');
  }
}

function readLiteral<T>(reader: Reader, word: string, value: T): T {
  for (let index = 0; index < word.length; index++) {
    if (reader.text.charCodeAt(reader.at) !== word.charCodeAt(index)) {
      throw unexpected(reader, `in literal ${word} (expecting '${word.charAt(index)}')`);
    }
    reader.at++;
  }
  return value;
}

const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;

function readNumber(reader: Reader): number | bigint {
  numberPattern.lastIndex = reader.at;
  const match = numberPattern.exec(reader.text);
  if (match === null) throw unexpected(reader, 'looking for beginning of value');
  const value = exactNumber(match[0]);
  if (typeof value === 'number' && !Number.isFinite(value)) throw errorAt(reader, reader.at, `number ${match[0]} is out of range`);
  reader.at = numberPattern.lastIndex;
  return value;
}

function skipSpace(reader: Reader): void {
  const { text } = reader;
  for (;;) {
    const code = text.charCodeAt(reader.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    reader.at++;
  }
}

function takes(reader: Reader, code: number): boolean {
  if (reader.text.charCodeAt(reader.at) !== code) return false;
  reader.at++;
  return true;
}

function unexpected(reader: Reader, where: string): DecodeError {
  if (reader.at >= reader.text.length) return errorAt(reader, reader.text.length, 'unexpected end of JSON input');
  const character = String.fromCodePoint(reader.text.codePointAt(reader.at) ?? 0);
  return errorAt(reader, reader.at, `invalid character ${character === "'" ? `'\\''` : `'${printable(character)}'`} ${where}`);
}

function printable(character: string): string {
  return character < ' ' ? JSON.stringify(character).slice(1, -1) : character;
}

function errorAt(reader: Reader, offset: number, what: string): DecodeError {
  return new DecodeError('JSON', what, positionAt(reader.text, offset));
}
