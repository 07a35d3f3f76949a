import { isObject } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { emptySet, fieldSet, isEmptySet, leafSet, union } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { comparePathElements, parsePathElement } from './path-element.ts';
import type { PathElement } from './path-element.ts';

/** A set in the FieldsV1 form (wire contract 3.4), keys in Go's order. */
export function encodeFieldsV1(set: FieldSet): JsonObject {
  const fields: JsonObject = {};
  for (const element of [...set.children.keys()].sort(comparePathElements)) {
    const child = set.children.get(element) ?? emptySet;
    fields[element] = { ...(child.member && child.children.size > 0 && { '.': {} }), ...encodeFieldsV1(child) };
  }
  return fields;
}

/** Reads the FieldsV1 form; undefined when it is malformed. Elements of a kind not known yet are left out. */
export function decodeFieldsV1(value: unknown): FieldSet | undefined {
  const set = isObject(value) ? decodeNode(value) : undefined;
  return set === undefined ? undefined : fieldSet(false, set.children);
}

function decodeNode(fields: JsonObject): FieldSet | undefined {
  const keys = Object.keys(fields);
  if (keys.length === 0) return leafSet;
  const children = new Map<PathElement, FieldSet>();
  let member = false;
  for (const key of keys) {
    const value = fields[key];
    if (!isObject(value)) return undefined;
    if (key === '.') {
      member = true;
      continue;
    }
    const element = parsePathElement(key);
    if (element === undefined) return undefined;
    if (element === '') continue;
    const child = decodeNode(value);
    if (child === undefined) return undefined;
    if (!isEmptySet(child)) children.set(element, union(children.get(element) ?? emptySet, child));
  }
  return fieldSet(member, children);
}
