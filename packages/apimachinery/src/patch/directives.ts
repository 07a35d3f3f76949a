import { isObject, setOwn } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { stringifyJson } from '../json/stringify.ts';
import { malformedPatch } from './patch-error.ts';

export const setElementOrder = '$setElementOrder';
export const deleteFromPrimitiveList = '$deleteFromPrimitiveList';

/** True for fields of a strategic merge patch that say how to merge instead of what. */
export function isDirective(field: string): boolean {
  return field === '$patch' || field === '$retainKeys' || listDirective(field) !== undefined;
}

/** What `$setElementOrder/finalizers` and its like are about. */
export function listDirective(field: string): { readonly name: string; readonly field: string } | undefined {
  for (const name of [setElementOrder, deleteFromPrimitiveList]) {
    if (field.startsWith(`${name}/`)) return { name, field: field.slice(name.length + 1) };
  }
  return undefined;
}

/** The value of `$patch`, `merge` when there is none. */
export function patchDirective(patch: Readonly<JsonObject>): 'merge' | 'replace' | 'delete' {
  if (!Object.hasOwn(patch, '$patch')) return 'merge';
  const directive = patch['$patch'];
  if (directive === 'merge' || directive === 'replace' || directive === 'delete') return directive;
  throw malformedPatch(`unknown patch type: ${stringifyJson(directive)} in map`);
}

/** The keys `$retainKeys` leaves in a map; undefined when there is no such directive. */
export function retainKeys(patch: Readonly<JsonObject>): ReadonlySet<unknown> | undefined {
  if (!Object.hasOwn(patch, '$retainKeys')) return undefined;
  const keys = patch['$retainKeys'];
  if (!Array.isArray(keys)) throw malformedPatch('$retainKeys must be a list');
  return new Set<unknown>(keys);
}

/** A copy of a patch as the value of a field that was absent: without directives, nulls, and items marked for deletion. */
export function withoutDirectives(value: Readonly<JsonObject>): JsonObject;
export function withoutDirectives(value: unknown): unknown;
export function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !isRemoval(item)).map((item: unknown) => withoutDirectives(item));
  if (!isObject(value)) return value;
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) {
    if (!isDirective(key) && value[key] !== null) setOwn(copy, key, withoutDirectives(value[key]));
  }
  return copy;
}

/** List items that are instructions only: `$patch: delete` and the bare `$patch: replace`. */
function isRemoval(item: unknown): boolean {
  return isObject(item) && (item['$patch'] === 'delete' || (item['$patch'] === 'replace' && Object.keys(item).length === 1));
}
