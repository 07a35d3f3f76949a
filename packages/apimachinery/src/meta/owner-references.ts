import { deepEqual } from '../json/object.ts';
import { fieldError } from '../status/field-error.ts';
import type { FieldError } from '../status/field-error.ts';
import { parseApiVersion } from './types.ts';
import type { ObjectMeta, OwnerReference } from './types.ts';

/**
 * Removes exact duplicates of owner references, in place.
 *
 * @returns the text of the `Warning` header when something was removed (wire contract 3.1), otherwise undefined.
 */
export function dedupeOwnerReferences(meta: ObjectMeta): string | undefined {
  const references = meta.ownerReferences;
  if (references === undefined) return undefined;
  const kept: OwnerReference[] = [];
  const duplicateUids = new Set<string>();
  for (const reference of references) {
    if (kept.some((other) => deepEqual(other, reference))) duplicateUids.add(reference.uid);
    else kept.push(reference);
  }
  if (duplicateUids.size === 0) return undefined;
  meta.ownerReferences = kept;
  return `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...duplicateUids].join(', ')}`;
}

/** Validates owner references (wire contract 3.1). */
export function validateOwnerReferences(references: readonly OwnerReference[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const reference of references) {
    const { group, version } = parseApiVersion(reference.apiVersion);
    if (version === '') errors.push(fieldError.invalid(`${path}.apiVersion`, reference.apiVersion, 'version must not be empty'));
    for (const field of ['kind', 'name', 'uid'] as const) {
      if (reference[field] === '') errors.push(fieldError.invalid(`${path}.${field}`, '', 'must not be empty'));
    }
    if (group === '' && version === 'v1' && reference.kind === 'Event') {
      errors.push(fieldError.invalid(path, reference, '/v1, Kind=Event is disallowed from being an owner'));
    }
  }
  const controllers = references.filter((reference) => reference.controller === true).map((reference) => reference.name);
  if (controllers.length > 1) {
    errors.push(
      fieldError.invalid(
        path,
        references,
        `Only one reference can have Controller set to true. Found "true" in references for ${controllers[0]} and ${controllers[1]}`,
      ),
    );
  }
  return errors;
}
