import { randomInt } from 'node:crypto';
import {
  applyDefaults,
  dedupeOwnerReferences,
  type FieldError,
  generateName,
  type KindDefinition,
  objectSchemaOf,
  statusError,
  type UnstructuredObject,
  validateObjectMeta,
  validateSchema,
} from '@arc/apimachinery';
import { prepareMetadataForCreate } from './prepare-metadata.ts';

/** Whether `metadata.generation` counts changes: kinds with a spec have it, plain data such as Secrets has not. */
export function hasGeneration(definition: KindDefinition): boolean {
  return definition.schema.properties?.['spec'] !== undefined;
}

export interface PrepareCreateOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly warn: (text: string) => void;
}

/**
 * Fills in what the server decides about a new object, in place: name, metadata, defaults.
 * @returns whether the name was made from `generateName`.
 */
export function prepareForCreate(definition: KindDefinition, object: UnstructuredObject, { now, warn }: PrepareCreateOptions): boolean {
  const meta = object.metadata;
  const duplicates = dedupeOwnerReferences(meta);
  if (duplicates !== undefined) warn(duplicates);
  const generated = (meta.name ?? '') === '' && (meta.generateName ?? '') !== '';
  if (generated) meta.name = generateName(meta.generateName ?? '', randomInt);
  prepareMetadataForCreate(meta, { now, generation: hasGeneration(definition) });
  if (definition.subresources?.status === true) delete object['status'];
  applyDefaults(object, objectSchemaOf(definition));
  return generated;
}

/**
 * The strategy's part of preparing and all of validation. The strategy sees the object only once its shape is right.
 * @throws ApiStatusError 422.
 */
export function validateForCreate(definition: KindDefinition, object: UnstructuredObject, warn: (text: string) => void): void {
  const shape = validateSchema(object, objectSchemaOf(definition), '');
  refuse(definition, object, [...validateObjectMeta(object.metadata, definition), ...shape]);
  definition.strategy?.prepareForCreate?.(object);
  refuse(definition, object, definition.strategy?.validate?.(object) ?? []);
  for (const text of definition.strategy?.warnings?.(object, undefined) ?? []) warn(text);
}

/** @throws ApiStatusError 422 when there are errors. */
export function refuse(definition: KindDefinition, object: UnstructuredObject, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw statusError.invalid(definition, object.metadata.name ?? '', errors);
}
