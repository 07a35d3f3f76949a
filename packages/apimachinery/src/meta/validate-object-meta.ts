import type { KindDefinition } from '../kind/kind.ts';
import { deepEqual } from '../json/object.ts';
import { fieldError } from '../status/field-error.ts';
import type { FieldError } from '../status/field-error.ts';
import { dns1123LabelProblems, generateNameProblems, labelValueProblems, nameProblems, qualifiedNameProblems } from './name-rules.ts';
import { validateOwnerReferences } from './owner-references.ts';
import type { ObjectMeta } from './types.ts';

/** Bytes of all keys and values of annotations together. */
export const maxAnnotationsSize = 262_144;

type NamedKind = Pick<KindDefinition, 'scope' | 'strategy'>;

/**
 * Validates metadata on create, after names were generated (wire contract 3.1). The types of the fields must have been
 * checked by `validateSchema` before.
 */
export function validateObjectMeta(meta: ObjectMeta, kind: NamedKind, path = 'metadata'): FieldError[] {
  return [...validateNames(meta, kind, path), ...validateAccompaniments(meta, path)];
}

/**
 * Validates metadata on update. The server has already carried over from `old` what clients may not set (uid,
 * timestamps, generation); a difference that is still there is an error.
 */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, path = 'metadata'): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) errors.push(...noNewFinalizers(meta, old, path));
  if ((meta.resourceVersion ?? '') === '') {
    errors.push(fieldError.invalid(`${path}.resourceVersion`, 0, 'must be specified for an update'));
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(fieldError.invalid(`${path}.generation`, meta.generation ?? 0, 'must not be decremented'));
  }
  for (const field of immutableFields) {
    if (!deepEqual(meta[field] ?? null, old[field] ?? null)) {
      errors.push(fieldError.invalid(`${path}.${field}`, meta[field] ?? null, 'field is immutable'));
    }
  }
  return [...errors, ...validateAccompaniments(meta, path)];
}

/** Validates labels: keys are qualified names, values at most 63 characters of the label alphabet. */
export function validateLabels(labels: Readonly<Record<string, string>>, path: string): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedNameProblems(key).map((problem) => fieldError.invalid(path, key, problem)),
    ...labelValueProblems(value).map((problem) => fieldError.invalid(path, value, problem)),
  ]);
}

const immutableFields = ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;

function validateNames(meta: ObjectMeta, kind: NamedKind, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { name = '', generateName: prefix = '', namespace = '' } = meta;
  const rule = kind.strategy?.nameRule ?? 'dns1123subdomain';
  if (prefix !== '') {
    errors.push(...generateNameProblems(prefix, rule).map((problem) => fieldError.invalid(`${path}.generateName`, prefix, problem)));
  }
  if (name === '') errors.push(fieldError.required(`${path}.name`, 'name or generateName is required'));
  else errors.push(...nameProblems(name, rule).map((problem) => fieldError.invalid(`${path}.name`, name, problem)));
  if (kind.scope === 'Cluster') {
    if (namespace !== '') errors.push(fieldError.forbidden(`${path}.namespace`, 'not allowed on this type'));
  } else if (namespace === '') {
    errors.push(fieldError.required(`${path}.namespace`));
  } else {
    errors.push(...dns1123LabelProblems(namespace).map((problem) => fieldError.invalid(`${path}.namespace`, namespace, problem)));
  }
  return errors;
}

function validateAccompaniments(meta: ObjectMeta, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if ((meta.generation ?? 0) < 0)
    errors.push(fieldError.invalid(`${path}.generation`, meta.generation, 'must be greater than or equal to 0'));
  errors.push(...validateLabels(meta.labels ?? {}, `${path}.labels`));
  errors.push(...validateAnnotations(meta.annotations ?? {}, `${path}.annotations`));
  errors.push(...validateOwnerReferences(meta.ownerReferences ?? [], `${path}.ownerReferences`));
  errors.push(...validateFinalizers(meta.finalizers ?? [], `${path}.finalizers`));
  return errors;
}

function validateAnnotations(annotations: Readonly<Record<string, string>>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    errors.push(...qualifiedNameProblems(key.toLowerCase()).map((problem) => fieldError.invalid(path, key, problem)));
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > maxAnnotationsSize) errors.push(fieldError.tooLong(path, maxAnnotationsSize));
  return errors;
}

function validateFinalizers(finalizers: readonly string[], path: string): FieldError[] {
  const errors = finalizers.flatMap((finalizer) =>
    qualifiedNameProblems(finalizer).map((problem) => fieldError.invalid(path, finalizer, problem)),
  );
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(fieldError.invalid(path, finalizers, 'orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

function noNewFinalizers(meta: ObjectMeta, old: ObjectMeta, path: string): FieldError[] {
  const added = (meta.finalizers ?? []).filter((finalizer) => old.finalizers?.includes(finalizer) !== true);
  if (added.length === 0) return [];
  const list = [...new Set(added)]
    .sort()
    .map((finalizer) => JSON.stringify(finalizer))
    .join(', ');
  return [
    fieldError.forbidden(
      `${path}.finalizers`,
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
    ),
  ];
}
