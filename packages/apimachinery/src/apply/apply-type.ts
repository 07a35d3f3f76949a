import { getOwn, isObject } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { fieldSchema } from '../schema/prune.ts';
import type { StructuralSchema } from '../schema/structural.ts';
import { keyElement, valueElement } from './path-element.ts';
import type { PathElement } from './path-element.ts';

/** How values of one place of a schema are owned and merged. */
export type ApplyType = ScalarType | MapType | ListType | DeducedType;

interface ScalarType {
  readonly kind: 'scalar';
  readonly schema: StructuralSchema;
}

export interface MapType {
  readonly kind: 'map';
  /** Owned and replaced as one value. */
  readonly atomic: boolean;
  /** Undefined when the schema does not know the field. */
  field(name: string): ApplyType | undefined;
  /** True for the named fields of a struct, false for the keys of a map. */
  declares(name: string): boolean;
}

export interface ListType {
  readonly kind: 'list';
  readonly relationship: 'atomic' | 'set' | 'map';
  readonly items: ApplyType;
  /** What identifies the items of a list of relationship `map`. */
  readonly keys: readonly string[];
  /** Where an item lies in the field paths. Missing keys have the defaults of the schema; what has none is left out. */
  elementOf(item: unknown): PathElement;
  /** The key an item has neither a value nor a default for. */
  missingKey(item: JsonObject): string | undefined;
}

/** Without a schema: maps are granular, lists atomic. */
interface DeducedType {
  readonly kind: 'deduced';
}

const deducedType: DeducedType = { kind: 'deduced' };
const deducedMap: MapType = { kind: 'map', atomic: false, field: () => deducedType, declares: () => false };

const types = new WeakMap<StructuralSchema, ApplyType>();

/**
 * Reads the list and map types of a schema (wire contract 1.4, 5.2): `x-kubernetes-list-type` and `-map-type`, else the
 * patch strategy, else atomic lists and granular maps. The same value for the same schema.
 */
export function applyTypeOf(schema: StructuralSchema): ApplyType {
  const known = types.get(schema);
  if (known !== undefined) return known;
  const type = makeType(schema);
  types.set(schema, type);
  return type;
}

function makeType(schema: StructuralSchema): ApplyType {
  if (schema['x-kubernetes-int-or-string'] === true) return { kind: 'scalar', schema };
  if (schema['x-kubernetes-embedded-resource'] === true) return mapType(schema);
  if (schema.type === undefined) return deducedType;
  if (schema.type === 'object') return mapType(schema);
  return schema.type === 'array' ? listType(schema) : { kind: 'scalar', schema };
}

function mapType(schema: StructuralSchema): MapType {
  // An object of which nothing is said, or that keeps what it does not know, may hold anything.
  const open =
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    (schema.properties === undefined && schema.additionalProperties === undefined);
  const retainKeys = schema['x-kubernetes-patch-strategy']?.split(',').includes('retainKeys') === true;
  const relationship = schema['x-kubernetes-map-type'] ?? (retainKeys ? 'atomic' : 'granular');
  return {
    kind: 'map',
    atomic: relationship === 'atomic',
    field: (name) => {
      const field = fieldSchema(schema, name);
      if (field !== undefined) return applyTypeOf(field);
      return open ? deducedType : undefined;
    },
    declares: (name) => fieldSchema(schema, name) !== undefined && schema.additionalProperties === undefined,
  };
}

function listType(schema: StructuralSchema): ListType {
  const { items } = schema;
  const { relationship, keys } = relationshipOf(schema);
  const keyOf = (item: JsonObject, name: string): unknown => getOwn(item, name) ?? items?.properties?.[name]?.default;
  return {
    kind: 'list',
    relationship,
    keys,
    items: items === undefined ? deducedType : applyTypeOf(items),
    elementOf: (item) => {
      if (relationship !== 'map' || !isObject(item)) return valueElement(item);
      const values: JsonObject = {};
      for (const name of keys) {
        const value = keyOf(item, name);
        if (value !== undefined) values[name] = value;
      }
      return keyElement(values);
    },
    missingKey: (item) => keys.find((name) => keyOf(item, name) === undefined),
  };
}

function relationshipOf(schema: StructuralSchema): Pick<ListType, 'relationship' | 'keys'> {
  const listType = schema['x-kubernetes-list-type'];
  if (listType === 'map') return { relationship: 'map', keys: [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort() };
  if (listType !== undefined) return { relationship: listType, keys: [] };
  if (schema['x-kubernetes-patch-strategy']?.split(',').includes('merge') !== true) return { relationship: 'atomic', keys: [] };
  const mergeKey = schema['x-kubernetes-patch-merge-key'];
  return mergeKey === undefined ? { relationship: 'set', keys: [] } : { relationship: 'map', keys: [mergeKey] };
}

/** How one value is to be looked at: as a whole, field by field, or item by item. */
export type Shape = 'leaf' | MapType | ListType;

/**
 * The shape of a value at a place of a schema. Values that are not what the schema says are leaves: stored objects may
 * be older than their schema.
 */
export function shapeOf(type: ApplyType, value: unknown): Shape {
  if (isObject(value)) {
    const map = type.kind === 'deduced' ? deducedMap : type;
    return map.kind === 'map' && !map.atomic ? map : 'leaf';
  }
  if (Array.isArray(value)) return type.kind === 'list' && type.relationship !== 'atomic' ? type : 'leaf';
  return 'leaf';
}

/** The type of a field; what the schema does not know is deduced. */
export function fieldType(map: MapType, name: string): ApplyType {
  return map.field(name) ?? deducedType;
}

/** The type one path element further down; undefined when the schema does not lead there. */
export function typeAt(type: ApplyType, element: PathElement): ApplyType | undefined {
  switch (type.kind) {
    case 'map':
      return element.startsWith('f:') ? type.field(element.slice(2)) : undefined;
    case 'list':
      return element.startsWith('f:') ? undefined : type.items;
    case 'deduced':
      return deducedType;
    case 'scalar':
      return undefined;
  }
}

/** Null, `{}` and `[]`: nothing to look into. */
export function isEmptyValue(value: unknown): boolean {
  if (value === null) return true;
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}
