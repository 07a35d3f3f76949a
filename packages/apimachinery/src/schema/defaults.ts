import { cloneJson, getOwn, isObject, setOwn } from '../json/object.ts';
import type { StructuralSchema } from './structural.ts';
import { fieldSchema } from './prune.ts';

/**
 * Fills in, in place, the defaults of absent fields, as custom resources do: a null counts as absent where the field
 * has a default and is not nullable; a default applies only below objects that exist or were themselves defaulted.
 */
export function applyDefaults(value: unknown, schema: StructuralSchema): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined) for (const item of value) applyDefaults(item, items);
    return;
  }
  if (!isObject(value)) return;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (property.default === undefined) continue;
    const present = getOwn(value, name);
    if (present === undefined || (present === null && property.nullable !== true)) setOwn(value, name, cloneJson(property.default));
  }
  for (const key of Object.keys(value)) {
    const field = fieldSchema(schema, key);
    if (field !== undefined) applyDefaults(value[key], field);
  }
}
