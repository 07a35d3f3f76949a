import {
  applyDefaults,
  dedupeOwnerReferences,
  objectSchemaOf,
  prune,
  specChanged,
  type UnstructuredObject,
  type KindDefinition,
  validateObjectMetaUpdate,
  validateSchema,
} from '@arc/apimachinery';
import { isNamespaceKind } from '../registry/served-resource.ts';
import { hasGeneration, refuse } from './prepare-create.ts';
import { prepareMetadataForUpdate } from './prepare-metadata.ts';

/** Which part of an object a write may change. */
export type UpdateScope = 'main' | 'status' | 'finalize';

export interface UpdateInput {
  readonly scope: UpdateScope;
  readonly desired: UnstructuredObject;
  readonly old: UnstructuredObject;
  readonly warn: (text: string) => void;
}

/**
 * Turns what a client wants into what will be stored: parts out of scope go back to what they were (wire contract 2.8),
 * defaults are filled in, the result is validated, generation counts. Changes `desired` in place.
 * @throws ApiStatusError 422.
 */
export function prepareForUpdate(definition: KindDefinition, input: UpdateInput): void {
  const { desired, old, scope, warn } = input;
  const { strategy } = definition;
  const duplicates = dedupeOwnerReferences(desired.metadata);
  if (duplicates !== undefined) warn(duplicates);
  resetOutOfScope(definition, input);
  prepareMetadataForUpdate(desired.metadata, old.metadata);
  const schema = objectSchemaOf(definition);
  applyDefaults(desired, schema);
  refuse(definition, desired, [...validateObjectMetaUpdate(desired.metadata, old.metadata), ...validateSchema(desired, schema, '')]);
  const before = scope === 'main' && specChanged(desired, old) ? asKnown(definition, old) : old;
  if (scope === 'main') {
    strategy?.prepareForUpdate?.(desired, before);
    refuse(definition, desired, [...(strategy?.validate?.(desired, before) ?? []), ...(strategy?.validateUpdate?.(desired, before) ?? [])]);
    for (const text of strategy?.warnings?.(desired, before) ?? []) warn(text);
  } else if (scope === 'status') {
    refuse(definition, desired, strategy?.validateStatusUpdate?.(desired, old) ?? []);
  }
  if (hasGeneration(definition) && specChanged(desired, before)) desired.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

/**
 * A stored object without the fields its kind does not have: another version of the server may have stored them. They are gone from what
 * is to be stored, which is no change anybody has made.
 */
function asKnown(definition: KindDefinition, old: UnstructuredObject): UnstructuredObject {
  const known = structuredClone(old);
  prune(known, objectSchemaOf(definition));
  return known;
}

function resetOutOfScope(definition: KindDefinition, { scope, desired, old }: UpdateInput): void {
  switch (scope) {
    case 'main':
      if (definition.subresources?.status === true) keepField(desired, old, 'status');
      // A client that sends a namespace without its finalizers must not set it free: only `finalize` does.
      if (isNamespaceKind(definition)) keepField(desired, old, 'spec');
      return;
    case 'status':
      keepOnly(desired, old, 'status');
      return;
    case 'finalize': {
      const { spec } = desired;
      keepOnly(desired, old, 'spec');
      if (spec === undefined) delete desired['spec'];
    }
  }
}

/** Everything but one top-level field goes back to what it was. */
function keepOnly(desired: UnstructuredObject, old: UnstructuredObject, kept: string): void {
  for (const field of new Set([...Object.keys(desired), ...Object.keys(old)])) {
    if (field === kept) continue;
    if (field === 'metadata') desired.metadata = structuredClone(old.metadata);
    else keepField(desired, old, field);
  }
}

function keepField(desired: UnstructuredObject, old: UnstructuredObject, field: string): void {
  if (old[field] === undefined) delete desired[field];
  else desired[field] = old[field];
}
