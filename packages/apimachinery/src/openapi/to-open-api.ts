import type { JsonObject } from '../json/object.ts';
import { objectMetaSchema } from '../schema/object-meta-schema.ts';
import type { StructuralSchema } from '../schema/structural.ts';
import { metaSchemaName, schemaRef } from './schema-names.ts';

/** A structural schema as an OpenAPI v3 schema; `objectMetaSchema` itself becomes a reference (wire contract 1.4). */
export function toOpenApi(schema: StructuralSchema): JsonObject {
  if (schema === objectMetaSchema) {
    return { description: "Standard object's metadata.", allOf: [schemaRef(metaSchemaName('ObjectMeta'))], default: {} };
  }
  const { properties, items, additionalProperties, ...rest } = schema;
  return {
    ...rest,
    ...(schema['x-kubernetes-int-or-string'] === true && { anyOf: [{ type: 'integer' }, { type: 'string' }] }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, toOpenApi(property)])),
    }),
    ...(items !== undefined && { items: toOpenApi(items) }),
    ...(additionalProperties !== undefined && { additionalProperties: toOpenApi(additionalProperties) }),
  };
}
