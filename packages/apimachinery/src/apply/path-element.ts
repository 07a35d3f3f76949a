import { decodeJson } from '../codec/decode-json.ts';
import { parseJson } from '../codec/parse-json.ts';
import { canonicalJson } from '../json/canonical.ts';
import { isObject } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { stringifyJson } from '../json/stringify.ts';

/**
 * One step of a field path, spelled as FieldsV1 spells it (wire contract 3.4): `f:<field>`, `k:{"name":"x"}` (item of a
 * list by its keys), `v:<json>` (item of a set), `i:<index>`. Equal elements have equal texts.
 */
export type PathElement = string;

/** A path from the root of an object to a field or a list item. */
export type FieldPath = readonly PathElement[];

export function fieldElement(name: string): PathElement {
  return `f:${name}`;
}

export function keyElement(keys: JsonObject): PathElement {
  return `k:${canonicalJson(keys)}`;
}

export function valueElement(value: unknown): PathElement {
  return `v:${canonicalJson(value)}`;
}

/** The field an element names; undefined for elements of lists. */
export function fieldOf(element: PathElement): string | undefined {
  return element.startsWith('f:') ? element.slice(2) : undefined;
}

/** The canonical spelling of an element; empty for kinds of elements this version does not know, undefined when it is malformed. */
export function parsePathElement(text: string): PathElement | undefined {
  const rest = text.slice(2);
  switch (text.slice(0, 2)) {
    case 'f:':
      return text;
    case 'i:':
      return /^(?:0|-?[1-9][0-9]*)$/.test(rest) ? text : undefined;
    case 'v:':
    case 'k:': {
      const value = parsed(rest);
      if (value === undefined || (text.startsWith('k:') && !isObject(value))) return undefined;
      return `${text.slice(0, 2)}${canonicalJson(value)}`;
    }
    default:
      return text.charAt(1) === ':' ? '' : undefined;
  }
}

/** Clients send these texts too, nested as deep as they please: the decoder has a limit. */
function parsed(json: string): unknown {
  try {
    return decodeJson(json).value;
  } catch {
    return undefined;
  }
}

const ranks = 'fkvi';

/** The order in which Go writes elements: fields, keys, values, indices, each in the order of what they hold. */
export function comparePathElements(a: PathElement, b: PathElement): number {
  if (a === b) return 0;
  const rank = ranks.indexOf(a.charAt(0)) - ranks.indexOf(b.charAt(0));
  if (rank !== 0) return rank;
  const left = a.slice(2);
  const right = b.slice(2);
  switch (a.charAt(0)) {
    case 'f':
      return compareText(left, right);
    case 'i':
      return Number(left) - Number(right);
    default:
      return compareValues(parseJson(left), parseJson(right));
  }
}

/** By the bytes of their UTF-8 forms. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return codeUnitRank(left) - codeUnitRank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others. */
function codeUnitRank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

/** Numbers, texts, booleans, lists, maps, null; each by content. */
function compareValues(a: unknown, b: unknown): number {
  const rank = valueRank(a) - valueRank(b);
  if (rank !== 0) return rank;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return compareLists(a, b);
  if (isObject(a) && isObject(b)) return compareMaps(a, b);
  return compareNumbers(a, b);
}

/** Numbers, bigints among them, and booleans. */
function compareNumbers(a: unknown, b: unknown): number {
  const left = typeof a === 'bigint' ? a : Number(a);
  const right = typeof b === 'bigint' ? b : Number(b);
  if (left < right) return -1;
  return left > right ? 1 : 0;
}

function valueRank(value: unknown): number {
  if (value === null) return 5;
  if (Array.isArray(value)) return 3;
  if (typeof value === 'bigint') return 0;
  return ['number', 'string', 'boolean', '', 'object'].indexOf(typeof value);
}

function compareLists(a: readonly unknown[], b: readonly unknown[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const order = compareValues(a[at], b[at]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareMaps(a: JsonObject, b: JsonObject): number {
  const left = Object.keys(a).sort(compareText);
  const right = Object.keys(b).sort(compareText);
  for (const [at, key] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    const order = compareText(key, other) || compareValues(a[key], b[other]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** As conflicts print paths (wire contract 5.3): `.spec.items[name="x"].v`, `.metadata.finalizers[="a"]`. */
export function printPath(path: FieldPath): string {
  return path.map(printElement).join('');
}

export function printElement(element: PathElement): string {
  const rest = element.slice(2);
  switch (element.charAt(0)) {
    case 'f':
      return `.${rest}`;
    case 'k': {
      const keys = parseJson(rest) as JsonObject;
      return `[${Object.keys(keys)
        .sort(compareText)
        .map((name) => `${name}=${printValue(keys[name])}`)
        .join(',')}]`;
    }
    case 'v':
      return `[=${printValue(parseJson(rest))}]`;
    default:
      return `[${rest}]`;
  }
}

function printValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printValue).join(',')}]`;
  if (!isObject(value)) return stringifyJson(value);
  return `{${Object.keys(value)
    .sort(compareText)
    .map((name) => `${name}=${printValue(value[name])}`)
    .join(';')}}`;
}
