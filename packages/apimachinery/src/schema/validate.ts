import { deepEqual, getOwn, isObject } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { canonicalJson } from '../json/canonical.ts';
import { stringifyJson } from '../json/stringify.ts';
import { childPath, indexPath } from '../json/path.ts';
import { fieldError } from '../status/field-error.ts';
import type { FieldError } from '../status/field-error.ts';
import { hasFormat } from './formats.ts';
import { fieldSchema } from './prune.ts';
import type { StructuralSchema } from './structural.ts';

/**
 * Validates a value with the texts of custom resource validation (wire contract 2.3, class "validation"), for example
 * `Invalid value: "string": spec.x in body must be of type integer: "string"`.
 *
 * @param fieldPath where the value is (`spec`), empty for a whole object.
 * @returns every error, in document order; a value of the wrong type is not looked into further.
 */
export function validateSchema(value: unknown, schema: StructuralSchema, fieldPath: string): FieldError[] {
  const errors: FieldError[] = [];
  check(value, schema, fieldPath, errors);
  return errors;
}

function check(value: unknown, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  if (value === null && (schema.nullable === true || isUntyped(schema))) return;
  const actual = typeName(value);
  const expected = expectedTypes(schema);
  if (expected.length > 0 && !expected.some((type) => type === actual || (type === 'number' && actual === 'integer'))) {
    errors.push(fieldError.typeInvalid(path, actual, `${path} in body must be of type ${expected.join(',')}: "${actual}"`));
    return;
  }
  if (schema.enum !== undefined) checkEnum(value, schema.enum, path, errors);
  if (schema.format !== undefined && !hasFormat(value, schema.format)) {
    errors.push(fieldError.typeInvalid(path, value, `${path} in body must be of type ${schema.format}: ${stringifyJson(value)}`));
  }
  if (typeof value === 'string') checkString(value, schema, path, errors);
  else if (typeof value === 'number' || typeof value === 'bigint') checkNumber(value, schema, path, errors);
  else if (Array.isArray(value)) checkArray(value, schema, path, errors);
  else if (isObject(value)) checkObject(value, schema, path, errors);
}

function isUntyped(schema: StructuralSchema): boolean {
  return schema.type === undefined && schema['x-kubernetes-int-or-string'] !== true;
}

function expectedTypes(schema: StructuralSchema): readonly string[] {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string'];
  if (schema['x-kubernetes-embedded-resource'] === true) return ['object'];
  return schema.type === undefined ? [] : [schema.type];
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  // Beyond 2^53 Kubernetes takes only what was written as an int64 for an integer, and that is a bigint here.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'integer' : 'number';
  if (typeof value === 'bigint') return 'integer';
  return typeof value;
}

function checkEnum(value: unknown, allowed: readonly unknown[], path: string, errors: FieldError[]): void {
  if (allowed.some((candidate) => deepEqual(candidate, value))) return;
  const texts = allowed.map((candidate) => (typeof candidate === 'string' ? candidate : stringifyJson(candidate)));
  errors.push(fieldError.notSupported(path, value, texts));
}

function checkString(value: string, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  const { minLength, maxLength, pattern } = schema;
  if (maxLength !== undefined && lengthOf(value) > maxLength) errors.push(fieldError.tooLong(path, maxLength));
  if (minLength !== undefined && lengthOf(value) < minLength) {
    errors.push(fieldError.invalid(path, value, `${path} in body should be at least ${minLength} chars long`));
  }
  if (pattern !== undefined && !compiled(pattern).test(value)) {
    errors.push(fieldError.invalid(path, value, `${path} in body should match '${pattern}'`));
  }
}

/** Length in code points, as Kubernetes counts. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

const patterns = new Map<string, RegExp>();

function compiled(pattern: string): RegExp {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  const regExp = new RegExp(pattern, 'u');
  patterns.set(pattern, regExp);
  return regExp;
}

function checkNumber(value: number | bigint, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  const { type, format, minimum, maximum } = schema;
  if (type === 'integer' && format === 'int32' && (value < -(2 ** 31) || value >= 2 ** 31)) {
    errors.push(fieldError.invalid(path, value, `Checked value must be of type integer with format int32 in ${path}`));
  }
  if (minimum !== undefined && value < minimum) {
    errors.push(fieldError.invalid(path, value, `${path} in body should be greater than or equal to ${minimum}`));
  }
  if (maximum !== undefined && value > maximum) {
    errors.push(fieldError.invalid(path, value, `${path} in body should be less than or equal to ${maximum}`));
  }
}

function checkArray(value: readonly unknown[], schema: StructuralSchema, path: string, errors: FieldError[]): void {
  const { items, minItems, maxItems } = schema;
  if (maxItems !== undefined && value.length > maxItems) errors.push(fieldError.tooMany(path, value.length, maxItems));
  if (minItems !== undefined && value.length < minItems) {
    errors.push(fieldError.invalid(path, value.length, `${path} in body should have at least ${minItems} items`));
  }
  if (items !== undefined) value.forEach((item, index) => check(item, items, indexPath(path, index), errors));
  checkListType(value, schema, path, errors);
}

function checkListType(value: readonly unknown[], schema: StructuralSchema, path: string, errors: FieldError[]): void {
  const listType = schema['x-kubernetes-list-type'];
  if (listType !== 'set' && listType !== 'map') return;
  const seen = new Set<string>();
  value.forEach((item, index) => {
    const identity = listType === 'set' ? item : keysOf(item, schema);
    if (identity === undefined) return;
    const text = canonicalJson(identity);
    if (seen.has(text)) errors.push(fieldError.duplicate(indexPath(path, index), identity));
    seen.add(text);
  });
}

function keysOf(item: unknown, schema: StructuralSchema): JsonObject | undefined {
  if (!isObject(item)) return undefined;
  const keys: JsonObject = {};
  for (const name of [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort()) {
    const value = getOwn(item, name) ?? schema.items?.properties?.[name]?.default;
    if (value !== undefined) keys[name] = value;
  }
  return keys;
}

function checkObject(value: JsonObject, schema: StructuralSchema, path: string, errors: FieldError[]): void {
  const { required, minProperties, maxProperties } = schema;
  const names = Object.keys(value);
  if (maxProperties !== undefined && names.length > maxProperties) errors.push(fieldError.tooMany(path, names.length, maxProperties));
  if (minProperties !== undefined && names.length < minProperties) {
    errors.push(fieldError.invalid(path, names.length, `${path} in body should have at least ${minProperties} properties`));
  }
  for (const name of required ?? []) {
    if (getOwn(value, name) === undefined) errors.push(fieldError.required(childPath(path, name)));
  }
  if (schema['x-kubernetes-embedded-resource'] === true) checkEmbedded(value, path, errors);
  for (const name of names) {
    const field = fieldSchema(schema, name);
    if (field !== undefined && value[name] !== undefined) check(value[name], field, childPath(path, name), errors);
  }
}

function checkEmbedded(value: JsonObject, path: string, errors: FieldError[]): void {
  for (const name of ['apiVersion', 'kind']) {
    if (typeof value[name] !== 'string' || value[name] === '') errors.push(fieldError.required(childPath(path, name), 'must not be empty'));
  }
}
