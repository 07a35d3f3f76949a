import { getOwn, isObject } from '../json/object.ts';
import { SelectorError } from './selector-error.ts';

export interface FieldRequirement {
  /** A dotted path: `metadata.name`. */
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** All requirements must hold; the empty selector selects everything. */
export type FieldSelector = readonly FieldRequirement[];

/**
 * Reads a field selector: comma-separated `f=v`, `f==v`, `f!=v`; `\\`, `\,` and `\=` stand for the characters
 * themselves in values (wire contract 2.4).
 *
 * @throws SelectorError (400).
 */
export function parseFieldSelector(text: string): FieldSelector {
  return terms(text)
    .filter((term) => term !== '')
    .map((term) => readTerm(term, text));
}

/** Writes a selector in the form `parseFieldSelector` reads. */
export function printFieldSelector(selector: FieldSelector): string {
  return selector.map(({ field, operator, value }) => `${field}${operator}${value.replaceAll(/[\\,=]/g, String.raw`\$&`)}`).join(',');
}

/** True when the fields meet every requirement; an absent field has the empty value. */
export function matchesFields(selector: FieldSelector, fields: Readonly<Record<string, string>>): boolean {
  return selector.every(({ field, operator, value }) => {
    const actual = Object.hasOwn(fields, field) ? fields[field] : '';
    return (actual === value) === (operator === '=');
  });
}

/**
 * @param selectable the fields a kind allows besides metadata.name and metadata.namespace.
 * @throws SelectorError (400) naming the first field that cannot be selected by and those that can.
 */
export function checkFieldSelector(selector: FieldSelector, selectable: readonly string[] = []): void {
  const known = ['metadata.name', 'metadata.namespace', ...selectable];
  const unknown = selector.find(({ field }) => !known.includes(field));
  if (unknown === undefined) return;
  const list = known.map((field) => JSON.stringify(field)).join(', ');
  throw new SelectorError(`${JSON.stringify(unknown.field)} is not a known field selector: only ${list}`);
}

/** The value a selector demands of a field, if it demands one: `metadata.name` narrows authorization (wire contract 2.1). */
export function requiredFieldValue(selector: FieldSelector, field: string): string | undefined {
  return selector.find((requirement) => requirement.field === field && requirement.operator === '=')?.value;
}

/** The values of metadata.name, metadata.namespace and the selectable fields of an object, absent ones as empty text. */
export function fieldsOf(object: Readonly<Record<string, unknown>>, selectable: readonly string[] = []): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const path of ['metadata.name', 'metadata.namespace', ...selectable]) fields[path] = fieldAt(object, path);
  return fields;
}

/** The value of the scalar field at a dotted path, as field selectors compare it: absent or no scalar = empty text. */
export function fieldAt(object: Readonly<Record<string, unknown>>, path: string): string {
  let value: unknown = object;
  for (const field of path.split('.')) value = isObject(value) ? getOwn(value, field) : undefined;
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : '';
}

/** Splits at commas that are not escaped; escapes stay. */
function terms(text: string): string[] {
  const found: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === ',') {
      found.push(text.slice(start, at));
      start = at + 1;
    }
  }
  found.push(text.slice(start));
  return found;
}

function readTerm(term: string, whole: string): FieldRequirement {
  for (let at = 0; at < term.length; at++) {
    const sign = ['!=', '==', '='].find((candidate) => term.startsWith(candidate, at));
    if (sign === undefined) continue;
    const field = term.slice(0, at).trim();
    return { field, operator: sign === '!=' ? '!=' : '=', value: unescaped(term.slice(at + sign.length)) };
  }
  throw new SelectorError(`invalid selector: '${whole}'; can't understand '${term}'`);
}

function unescaped(text: string): string {
  let value = '';
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\\') {
      const next = text.charAt(++at);
      if (next !== '\\' && next !== ',' && next !== '=') {
        throw new SelectorError(`invalid field selector: invalid escape sequence: \\${next}`);
      }
      value += next;
    } else if (character === ',' || character === '=') {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${character}`);
    } else {
      value += character;
    }
  }
  return value;
}
