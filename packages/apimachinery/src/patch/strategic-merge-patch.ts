import { cloneJson, getOwn, isObject, setOwn } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { fieldSchema } from '../schema/prune.ts';
import type { StructuralSchema } from '../schema/structural.ts';
import {
  deleteFromPrimitiveList,
  isDirective,
  listDirective,
  patchDirective,
  retainKeys,
  setElementOrder,
  withoutDirectives,
} from './directives.ts';
import { mergeList } from './merge-list.ts';
import { orderList } from './order-list.ts';
import { malformedPatch } from './patch-error.ts';

/**
 * Applies a strategic merge patch. Lists are merged where the schema carries `x-kubernetes-patch-strategy: merge`, by
 * `x-kubernetes-patch-merge-key` or as a set; other lists are replaced. Understands `$patch` (merge, replace, delete),
 * `$retainKeys`, `$setElementOrder/<list>` and `$deleteFromPrimitiveList/<list>`. Inputs are left alone and share
 * nothing with the result.
 *
 * @throws ApiStatusError 400 for a directive that makes no sense.
 */
export function applyStrategicMergePatch(original: JsonObject, patch: JsonObject, schema: StructuralSchema): JsonObject {
  return mergeMaps(original, patch, schema);
}

function mergeMaps(original: Readonly<JsonObject>, patch: Readonly<JsonObject>, schema: StructuralSchema | undefined): JsonObject {
  switch (patchDirective(patch)) {
    case 'delete':
      return {};
    case 'replace':
      return withoutDirectives(patch);
    case 'merge':
  }
  const retained = retainKeys(patch);
  const result: JsonObject = {};
  for (const key of Object.keys(original)) {
    if (retained === undefined || retained.has(key)) setOwn(result, key, cloneJson(original[key]));
  }
  for (const key of Object.keys(patch)) {
    if (isDirective(key)) continue;
    if (retained !== undefined && !retained.has(key)) throw malformedPatch(`the field ${JSON.stringify(key)} is not listed in $retainKeys`);
    const merged = mergeValues(getOwn(result, key), patch[key], schema === undefined ? undefined : fieldSchema(schema, key));
    if (merged === undefined) delete result[key];
    else setOwn(result, key, merged);
  }
  applyListDirectives(result, patch, { original, schema });
  return result;
}

/** The merged value, or undefined when the field goes. */
function mergeValues(original: unknown, patch: unknown, schema: StructuralSchema | undefined): unknown {
  if (patch === null) return undefined;
  if (isObject(patch)) {
    if (isObject(original) && schema?.['x-kubernetes-patch-strategy'] !== 'replace') return mergeMaps(original, patch, schema);
    return patchDirective(patch) === 'delete' ? undefined : withoutDirectives(patch);
  }
  if (!Array.isArray(patch)) return patch;
  return isMergedList(schema) ? mergeList(Array.isArray(original) ? original : [], patch, listSchema(schema)) : withoutDirectives(patch);

  function listSchema(list: StructuralSchema | undefined): Parameters<typeof mergeList>[2] {
    return {
      mergeKey: list?.['x-kubernetes-patch-merge-key'],
      mergeItems: (item, itemPatch) => mergeMaps(item, itemPatch, list?.items),
    };
  }
}

function isMergedList(schema: StructuralSchema | undefined): boolean {
  return schema?.['x-kubernetes-patch-strategy']?.split(',').includes('merge') === true;
}

function applyListDirectives(
  result: JsonObject,
  patch: Readonly<JsonObject>,
  context: { readonly original: Readonly<JsonObject>; readonly schema: StructuralSchema | undefined },
): void {
  for (const key of Object.keys(patch)) {
    const directive = listDirective(key);
    if (directive === undefined) continue;
    const values = patch[key];
    if (!Array.isArray(values)) throw malformedPatch(`${key} must be a list`);
    const list = getOwn(result, directive.field);
    if (!Array.isArray(list)) continue;
    if (directive.name === deleteFromPrimitiveList) {
      setOwn(
        result,
        directive.field,
        list.filter((item) => !values.includes(item)),
      );
    }
  }
  for (const key of Object.keys(patch)) {
    const directive = listDirective(key);
    if (directive?.name !== setElementOrder) continue;
    const list = getOwn(result, directive.field);
    const before = getOwn(context.original, directive.field);
    if (!Array.isArray(list)) continue;
    const mergeKey =
      context.schema === undefined ? undefined : fieldSchema(context.schema, directive.field)?.['x-kubernetes-patch-merge-key'];
    setOwn(
      result,
      directive.field,
      orderList(list, { wanted: patch[key] as unknown[], before: Array.isArray(before) ? before : [], mergeKey }),
    );
  }
}
