import { type FieldError, fieldError } from '@arc/apimachinery';
import { optionsInvalid } from './options-invalid.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
}

const maxFieldManagerBytes = 128;
const validations: readonly FieldValidation[] = ['Ignore', 'Strict', 'Warn'];

/** @throws ApiStatusError 422 naming every option that is wrong (wire contract 2.4). */
export function parseWriteOptions(query: URLSearchParams, kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions'): WriteOptions {
  const errors: FieldError[] = [...dryRunErrors(query.getAll('dryRun')), ...fieldManagerErrors(query.get('fieldManager') ?? '')];
  const fieldValidation = query.get('fieldValidation') ?? '';
  if (fieldValidation !== '' && !isFieldValidation(fieldValidation)) {
    errors.push(fieldError.notSupported('fieldValidation', fieldValidation, ['', ...validations]));
  }
  if (kind === 'PatchOptions' && query.has('force')) {
    errors.push(fieldError.forbidden('force', 'may not be specified for non-apply patch'));
  }
  if (errors.length > 0) throw optionsInvalid(kind, errors);
  return { dryRun: isDryRun(query), fieldValidation: isFieldValidation(fieldValidation) ? fieldValidation : 'Warn' };
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
