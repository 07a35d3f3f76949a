import type { StructuralSchema } from '@arc/apimachinery';

export interface SchemaField {
  /** `spec.artifacts[].type`; values of a map are `[key]`. */
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  readonly schema: StructuralSchema;
}

/** Every field below a schema, parents before children, in the order they are declared. */
export function schemaFields(schema: StructuralSchema, parent = ''): SchemaField[] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = parent === '' ? name : `${parent}.${name}`;
    return [{ path, type: typeOf(field), required: required.has(name), schema: field }, ...fieldsBelow(field, path)];
  });
}

function fieldsBelow(schema: StructuralSchema, path: string): SchemaField[] {
  if (schema.items !== undefined) return fieldsBelow(schema.items, `${path}[]`);
  if (schema.additionalProperties !== undefined) return fieldsBelow(schema.additionalProperties, `${path}[key]`);
  return schemaFields(schema, path);
}

function typeOf(schema: StructuralSchema): string {
  if (schema['x-kubernetes-int-or-string'] === true) return 'integer or string';
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties !== undefined) return `map of ${typeOf(schema.additionalProperties)}`;
  if (schema.format === 'date-time') return 'time';
  if (schema['x-kubernetes-preserve-unknown-fields'] === true && schema.properties === undefined) {
    return schema.type === 'object' ? 'free-form object' : 'any';
  }
  return schema.type ?? 'any';
}

/** The least value in which every field is present whose absence a rule could complain about: objects are empty, lists have one empty object. */
export function emptySample(schema: StructuralSchema): Record<string, unknown> {
  const sample: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if (field.items?.properties !== undefined) sample[name] = [emptySample(field.items)];
    else if (field.properties !== undefined) sample[name] = emptySample(field);
  }
  return sample;
}
