import { type FieldError, fieldError } from '@arc/apimachinery';
import { optionsInvalid } from './options-invalid.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** Empty when the request names none. */
  readonly fieldManager: string;
}

export interface ApplyOptions extends WriteOptions {
  /** Take fields over from other managers. */
  readonly force: boolean;
}

type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions';

const maxFieldManagerBytes = 128;
const validations: readonly FieldValidation[] = ['Ignore', 'Strict', 'Warn'];

/** @throws ApiStatusError 422 naming every option that is wrong (wire contract 2.4). */
export function parseWriteOptions(query: URLSearchParams, kind: OptionsKind): WriteOptions {
  const forced = kind === 'PatchOptions' && query.has('force');
  return parse(query, kind, forced ? [fieldError.forbidden('force', 'may not be specified for non-apply patch')] : []);
}

/** @throws ApiStatusError 422; an apply must say whose it is (wire contract 2.4). */
export function parseApplyOptions(query: URLSearchParams): ApplyOptions {
  const unnamed = (query.get('fieldManager') ?? '') === '';
  const options = parse(query, 'PatchOptions', unnamed ? [fieldError.required('fieldManager', 'is required for apply patch')] : []);
  return { ...options, force: isTrue(query.get('force') ?? '') };
}

function parse(query: URLSearchParams, kind: OptionsKind, found: readonly FieldError[]): WriteOptions {
  const fieldManager = query.get('fieldManager') ?? '';
  const errors: FieldError[] = [...found, ...dryRunErrors(query.getAll('dryRun')), ...fieldManagerErrors(fieldManager)];
  const fieldValidation = query.get('fieldValidation') ?? '';
  if (fieldValidation !== '' && !isFieldValidation(fieldValidation)) {
    errors.push(fieldError.notSupported('fieldValidation', fieldValidation, ['', ...validations]));
  }
  if (errors.length > 0) throw optionsInvalid(kind, errors);
  return { dryRun: isDryRun(query), fieldValidation: isFieldValidation(fieldValidation) ? fieldValidation : 'Warn', fieldManager };
}

/** As in every query of Kubernetes: anything but `false` and `0` is true, absence is not. */
function isTrue(value: string): boolean {
  return value !== '' && value.toLowerCase() !== 'false' && value !== '0';
}

function isDryRun(query: URLSearchParams): boolean {
  return query.getAll('dryRun').some((value) => value !== '');
}

export function dryRunErrors(values: readonly string[]): readonly FieldError[] {
  return values.every((value) => value === 'All' || value === '') ? [] : [fieldError.notSupported('dryRun', values, ['All'])];
}

function fieldManagerErrors(manager: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(manager) > maxFieldManagerBytes) errors.push(fieldError.tooLong('fieldManager', maxFieldManagerBytes));
  if (/[^\P{C}]/u.test(manager)) errors.push(fieldError.invalid('fieldManager', manager, 'should only contain printable characters'));
  return errors;
}

function isFieldValidation(value: string): value is FieldValidation {
  return validations.some((validation) => validation === value);
}
