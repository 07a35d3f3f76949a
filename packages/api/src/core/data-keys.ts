import { fieldError } from '@arc/apimachinery';
import type { FieldError } from '@arc/apimachinery';

/** What the values of one Secret or ConfigMap may add up to, bytes (as in Kubernetes). */
export const maxDataBytes = 1024 * 1024;

/** Stands for a value in an error: values of Secrets are never printed. */
export const hiddenValue = '<secret contents redacted>';

/** Checks a key of `data` the way Kubernetes does: it becomes a file name when the object is mounted. */
export function dataKeyErrors(field: string, key: string): FieldError[] {
  const errors: FieldError[] = [];
  const invalid = (detail: string): void => void errors.push(fieldError.invalid(`${field}[${key}]`, key, detail));
  if (key.length > 253) invalid('must be no more than 253 characters');
  if (!/^[-._a-zA-Z0-9]+$/.test(key)) {
    invalid(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    );
  }
  if (key === '.') invalid("must not be '.'");
  else if (key === '..') invalid("must not be '..'");
  else if (key.startsWith('..')) invalid("must not start with '..'");
  return errors;
}

/** Decodes standard base64 with padding, line breaks allowed (what Go accepts); undefined when it is not that. */
export function decodeBase64(text: string): Buffer | undefined {
  const compact = text.replaceAll(/[\r\n]/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined;
  return Buffer.from(compact, 'base64');
}

/** Rewrites every value that is valid base64 in its one canonical spelling; leaves the others for validation to name. */
export function canonicalBase64(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === 'string' ? (decodeBase64(value)?.toString('base64') ?? value) : value,
    ]),
  );
}

/** True when two maps have the same keys with the same values. */
export function sameEntries(a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}

/** Once `immutable` is set it stays, and the content with it. */
export function immutabilityErrors(
  object: { readonly immutable?: boolean },
  old: { readonly immutable?: boolean },
  changed: Readonly<Record<string, boolean>>,
): FieldError[] {
  if (old.immutable !== true) return [];
  const detail = 'field is immutable when `immutable` is set';
  const errors = object.immutable === true ? [] : [fieldError.forbidden('immutable', detail)];
  for (const [field, hasChanged] of Object.entries(changed)) {
    if (hasChanged) errors.push(fieldError.forbidden(field, detail));
  }
  return errors;
}
