import { deepEqual, fieldError } from '@arc/apimachinery';
import type { FieldError, KubeObject } from '@arc/apimachinery';
import { parseDuration } from '@arc/kernel';
import type { LocalReference, Parameter } from './shared-schemas.ts';

/** The name a reference carries, or undefined when it is absent or empty (user interfaces send empty strings). */
export function referenceName(reference: LocalReference | null | undefined): string | undefined {
  return reference?.name === undefined || reference.name === '' ? undefined : reference.name;
}

/** An object of ours: all that people write is in its spec. */
type Specified = KubeObject & { spec?: object };

/**
 * What is wrong with an object, without what was wrong before the change already, so that what is stored stays updatable when rules
 * become stricter.
 */
export function newErrors<T extends Specified>(
  rules: (object: T) => readonly FieldError[],
  object: T,
  old: T | undefined,
): readonly FieldError[] {
  const errors = rules(object);
  if (errors.length === 0 || old === undefined) return errors;
  const known = new Set(rules(withoutNulls(old)).map((error) => `${error.field}\n${error.message}`));
  return errors.filter((error) => !known.has(`${error.field}\n${error.message}`));
}

/** Refuses every change of a spec; nulls that an older server has stored mean unset. */
export function immutableSpec<T extends Specified>(object: T, old: T): FieldError[] {
  const isSame = deepEqual(object.spec ?? {}, old.spec ?? {}) || deepEqual(object.spec ?? {}, withoutNulls(old).spec ?? {});
  return isSame ? [] : [fieldError.forbidden('spec', 'spec is immutable and cannot be updated')];
}

function withoutNulls<T extends Specified>(object: T): T {
  const spec = structuredClone(object.spec);
  unsetNulls(spec, ['spec']);
  return { ...object, spec };
}

/** Removes members whose value is null, at any depth: in the API null means unset. `skip` names members left alone. */
export function unsetNulls(value: unknown, skip: readonly string[] = []): void {
  if (Array.isArray(value)) {
    for (const item of value) unsetNulls(item, skip);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const members = value as Record<string, unknown>;
  for (const [name, member] of Object.entries(members)) {
    if (member === null) delete members[name];
    else if (!skip.includes(name)) unsetNulls(member, skip);
  }
}

/** A Go duration that is not negative. */
export function validateDuration(value: string | undefined, path: string): FieldError[] {
  if (value === undefined || value === '') return [];
  try {
    return parseDuration(value) < 0 ? [fieldError.invalid(path, value, 'must be greater than or equal to 0')] : [];
  } catch {
    return [fieldError.invalid(path, value, 'must be a duration such as 90s, 15m or 1h30m')];
  }
}

/** Reports every occurrence of a parameter name that is used more than once, the first one included. */
export function validateUniqueParameters(parameters: readonly Parameter[], path: string): FieldError[] {
  const counts = new Map<string, number>();
  for (const { name = '' } of parameters) counts.set(name, (counts.get(name) ?? 0) + 1);
  return parameters.flatMap(({ name = '' }, index) =>
    (counts.get(name) ?? 0) > 1 ? [fieldError.duplicate(`${path}[${index}].name`, name)] : [],
  );
}

/** Reports parameters without a name. */
export function validateNamedParameters(parameters: readonly Parameter[], path: string): FieldError[] {
  return parameters.flatMap(({ name = '' }, index) => (name === '' ? [fieldError.required(`${path}[${index}].name`)] : []));
}

/** The first line of a text, at most `limit` characters: what fits a table cell. */
export function firstLine(text: string | undefined, limit = 100): string | undefined {
  if (text === undefined || text === '') return undefined;
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}
