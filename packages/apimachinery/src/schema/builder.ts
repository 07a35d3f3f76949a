import type { StructuralSchema } from './structural.ts';

declare const typeTag: unique symbol;
declare const optionalTag: unique symbol;

/** A structural schema that also knows, at compile time only, the type of what it describes. */
export type Schema<T> = StructuralSchema & { readonly [typeTag]?: T };
/** A property that may be absent. */
export type OptionalSchema<T> = Schema<T> & { readonly [optionalTag]: true };

/** The static type of what a schema describes. */
export type Static<S> = S extends Schema<infer T> ? T : never;

type Shape = Readonly<Record<string, StructuralSchema>>;
type OptionalKeys<P extends Shape> = { [K in keyof P]: P[K] extends { readonly [optionalTag]: true } ? K : never }[keyof P];
type Flatten<T> = { [K in keyof T]: T[K] };
type ObjectOf<P extends Shape> = Flatten<
  { [K in Exclude<keyof P, OptionalKeys<P>>]: Static<P[K]> } & { [K in OptionalKeys<P>]?: Static<P[K]> }
>;
type Extras = Omit<StructuralSchema, 'type' | 'properties' | 'required' | 'items' | 'additionalProperties'>;

const optionalSchemas = new WeakSet<StructuralSchema>();

/** Marks a property as one that may be absent. */
function optional<T>(schema: Schema<T>): OptionalSchema<T> {
  const copy = { ...schema };
  optionalSchemas.add(copy);
  return copy as OptionalSchema<T>;
}

function object<P extends Shape>(properties: P, extras: Extras = {}): Schema<ObjectOf<P>> {
  const required = Object.entries(properties)
    .filter(([, schema]) => !optionalSchemas.has(schema))
    .map(([name]) => name);
  return { type: 'object', ...extras, properties, ...(required.length > 0 && { required }) };
}

function array<T>(items: Schema<T>, extras: Extras & Pick<StructuralSchema, 'minItems' | 'maxItems'> = {}): Schema<T[]> {
  return { type: 'array', ...extras, items };
}

/** A list whose entries are identified by some of their fields (`x-kubernetes-list-type: map`). */
function listMap<T>(items: Schema<T>, keys: readonly string[], extras: Extras = {}): Schema<T[]> {
  return { type: 'array', ...extras, items, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys };
}

function map<T>(values: Schema<T>, extras: Extras = {}): Schema<Record<string, T>> {
  return { type: 'object', ...extras, additionalProperties: values };
}

function string(extras: Extras = {}): Schema<string> {
  return { type: 'string', ...extras };
}

function literals<const V extends readonly string[]>(values: V, extras: Extras = {}): Schema<V[number]> {
  return { type: 'string', ...extras, enum: values };
}

/** What a `number` holds exactly. */
const safeRange = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };

/** An integer that a `number` holds exactly: within 2^53 unless the extras say less. */
function integer(extras: Extras = {}): Schema<number> {
  return extras.format === 'int32' ? { type: 'integer', ...extras } : { type: 'integer', format: 'int64', ...safeRange, ...extras };
}

/** Any int64: those that a `number` does not hold exactly are bigints. */
function int64(extras: Extras = {}): Schema<number | bigint> {
  return { type: 'integer', format: 'int64', ...extras };
}

/** Whole numbers beyond 2^53 that fit an int64 are bigints, as what JSON says of them is exact. */
function number(extras: Extras = {}): Schema<number | bigint> {
  return { type: 'number', ...extras };
}

function boolean(extras: Extras = {}): Schema<boolean> {
  return { type: 'boolean', ...extras };
}

/** RFC 3339 in UTC. */
function time(extras: Extras = {}): Schema<string> {
  return { type: 'string', format: 'date-time', ...extras };
}

function intOrString(extras: Extras = {}): Schema<number | string> {
  return { ...safeRange, ...extras, 'x-kubernetes-int-or-string': true };
}

/** A free-form JSON object; nothing below it is pruned. */
function freeForm(extras: Extras = {}): Schema<Record<string, unknown>> {
  return { type: 'object', ...extras, 'x-kubernetes-preserve-unknown-fields': true };
}

/** Any JSON value. */
function any(extras: Extras = {}): Schema<unknown> {
  return { ...extras, 'x-kubernetes-preserve-unknown-fields': true };
}

/** The vocabulary kinds are written in. Every function returns plain structural schema data. */
export const s = {
  any,
  array,
  boolean,
  freeForm,
  int64,
  integer,
  intOrString,
  listMap,
  literals,
  map,
  number,
  object,
  optional,
  string,
  time,
} as const;
