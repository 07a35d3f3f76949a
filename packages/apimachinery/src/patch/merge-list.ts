import { cloneJson, deepEqual, getOwn, isObject } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { patchDirective, withoutDirectives } from './directives.ts';
import { malformedPatch } from './patch-error.ts';

export interface MergedListSchema {
  /** The field that identifies an item; undefined for lists of scalars, which are merged as sets. */
  readonly mergeKey: string | undefined;
  readonly mergeItems: (item: JsonObject, patch: JsonObject) => JsonObject;
}

/** Merges a list of a strategic merge patch into the list it patches. Items keep their places, new ones come last. */
export function mergeList(original: readonly unknown[], patch: readonly unknown[], schema: MergedListSchema): unknown[] {
  const { mergeKey } = schema;
  if (mergeKey === undefined) return mergeSets(original, patch);
  const items = patch.map((item) => {
    if (!isObject(item)) throw malformedPatch(`every item of a list merged by ${mergeKey} must be an object`);
    return item;
  });
  if (items.some((item) => patchDirective(item) === 'replace')) return withoutDirectives(items) as unknown[];
  const result: unknown[] = cloneJson([...original]);
  for (const item of items) mergeItem(result, item, { ...schema, mergeKey });
  return result;
}

function mergeSets(original: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const result: unknown[] = [];
  for (const item of [...original, ...patch]) {
    if (!result.some((other) => deepEqual(other, item))) result.push(cloneJson(item));
  }
  return result;
}

function mergeItem(result: unknown[], item: JsonObject, schema: MergedListSchema & { readonly mergeKey: string }): void {
  const key = getOwn(item, schema.mergeKey);
  if (key === undefined || key === null) throw malformedPatch(`an item does not contain the declared merge key: ${schema.mergeKey}`);
  const matches = (other: unknown): other is JsonObject => isObject(other) && deepEqual(getOwn(other, schema.mergeKey), key);
  if (patchDirective(item) === 'delete') {
    const kept = result.filter((other) => !matches(other));
    result.splice(0, result.length, ...kept);
    return;
  }
  const index = result.findIndex(matches);
  const found = result[index];
  if (matches(found)) result[index] = schema.mergeItems(found, item);
  else result.push(withoutDirectives(item));
}
