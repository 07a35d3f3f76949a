import { isObject } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { childPath, indexPath } from '../json/path.ts';
import { objectMetaSchema } from './object-meta-schema.ts';
import { apiVersionSchema, kindSchema } from './object-schema.ts';
import type { StructuralSchema } from './structural.ts';

/**
 * Removes, in place, every field the schema does not know, as custom resources do. Below
 * `x-kubernetes-preserve-unknown-fields` unknown fields stay; an embedded resource may have apiVersion, kind and
 * metadata. A null of a known field is removed silently unless the field is nullable, or has a default, which then replaces it.
 * Nulls and empty lists and maps in an object's metadata are removed silently, too: they mean "absent" there, but for an empty
 * `managedFields`, which asks for something (wire contract 3.1, 3.4).
 *
 * @returns the paths of what was removed, in document order, for `strictDecodingMessages`.
 */
export function prune(object: JsonObject, schema: StructuralSchema): string[] {
  const removed: string[] = [];
  pruneValue(object, schema, '', removed);
  return removed;
}

/**
 * Removes every null field, in place: what core kinds do, whose Go structs cannot tell null from absent. Custom resources keep
 * those the schema does not know or allows.
 */
export function dropNulls(value: unknown): void {
  if (Array.isArray(value)) {
    for (const item of value) dropNulls(item);
  } else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      if (value[key] === null) delete value[key];
      else dropNulls(value[key]);
    }
  }
}

function pruneValue(value: unknown, schema: StructuralSchema, path: string, removed: string[]): void {
  if (schema === objectMetaSchema) dropEmptyMetadata(value);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined) value.forEach((item, index) => pruneValue(item, items, indexPath(path, index), removed));
  } else if (isObject(value)) {
    pruneFields(value, schema, path, removed);
  }
}

function dropEmptyMetadata(metadata: unknown): void {
  dropNulls(metadata);
  if (!isObject(metadata)) return;
  for (const name of ['labels', 'annotations', 'finalizers', 'ownerReferences']) {
    const value = metadata[name];
    const isEmpty = Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
    if (isEmpty) delete metadata[name];
  }
}

function pruneFields(object: JsonObject, schema: StructuralSchema, path: string, removed: string[]): void {
  for (const key of Object.keys(object)) {
    const field = fieldSchema(schema, key);
    if (field !== undefined && object[key] === null && field.nullable !== true && field.default === undefined) {
      delete object[key];
    } else if (field !== undefined) {
      pruneValue(object[key], field, childPath(path, key), removed);
    } else if (schema['x-kubernetes-preserve-unknown-fields'] !== true) {
      delete object[key];
      removed.push(childPath(path, key));
    }
  }
}

const embeddedFields = new Map<string, StructuralSchema>([
  ['apiVersion', apiVersionSchema],
  ['kind', kindSchema],
  ['metadata', objectMetaSchema],
]);

/** The schema of a field, or undefined when the schema does not know it. */
export function fieldSchema(schema: StructuralSchema, field: string): StructuralSchema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, field)) return schema.properties[field];
  if (schema['x-kubernetes-embedded-resource'] === true) {
    const embedded = embeddedFields.get(field);
    if (embedded !== undefined) return embedded;
  }
  return schema.additionalProperties;
}
