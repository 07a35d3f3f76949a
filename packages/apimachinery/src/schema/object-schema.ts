import type { KindDefinition } from '../kind/kind.ts';
import { objectMetaSchema } from './object-meta-schema.ts';
import type { StructuralSchema } from './structural.ts';

export const apiVersionSchema: StructuralSchema = {
  type: 'string',
  description: 'APIVersion is the versioned schema of this representation of an object: group/version.',
};
export const kindSchema: StructuralSchema = {
  type: 'string',
  description: 'Kind names the REST resource this object represents, in CamelCase.',
};

const objectSchemas = new WeakMap<KindDefinition, StructuralSchema>();

/** The schema of whole objects of a kind, with apiVersion, kind and metadata. The same value for the same definition. */
export function objectSchemaOf(kind: KindDefinition): StructuralSchema {
  const known = objectSchemas.get(kind);
  if (known !== undefined) return known;
  const schema: StructuralSchema = {
    ...kind.schema,
    type: 'object',
    description: kind.description,
    properties: { apiVersion: apiVersionSchema, kind: kindSchema, metadata: objectMetaSchema, ...kind.schema.properties },
  };
  objectSchemas.set(kind, schema);
  return schema;
}
