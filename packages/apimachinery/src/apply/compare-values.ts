import { deepEqual, getOwn, isObject } from '../json/object.ts';
import { fieldType, isEmptyValue, shapeOf } from './apply-type.ts';
import type { ApplyType, ListType, MapType, Shape } from './apply-type.ts';
import { emptySet, fieldSet, leafSet } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { everyPathOf } from './field-set-of.ts';
import { fieldElement } from './path-element.ts';
import type { PathElement } from './path-element.ts';

/** How two values differ, path by path. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

const same: Comparison = { added: emptySet, modified: emptySet, removed: emptySet };

/** Compares two values by schema. The order of sets and keyed lists does not count. */
export function compareValues(old: unknown, next: unknown, type: ApplyType): Comparison {
  if (old === undefined) return next === undefined ? same : { ...same, added: everyPathOf(next, type) };
  if (next === undefined) return { ...same, removed: everyPathOf(old, type) };
  if (old === next) return same;
  const left = shapeOf(type, old);
  const right = shapeOf(type, next);
  // Null takes the shape of what it is compared with.
  if (left === right || next === null) return compareAs(left, old, next);
  if (old === null) return compareAs(right, old, next);
  return {
    added: fieldSet(false, everyPathOf(next, type).children),
    modified: leafSet,
    removed: fieldSet(false, everyPathOf(old, type).children),
  };
}

function compareAs(shape: Shape, old: unknown, next: unknown): Comparison {
  if (shape === 'leaf' || (isEmptyValue(old) && isEmptyValue(next))) {
    return deepEqual(old, next) ? same : { ...same, modified: leafSet };
  }
  return shape.kind === 'map' ? compareMaps(shape, old, next) : compareLists(shape, old, next);
}

function compareMaps(map: MapType, old: unknown, next: unknown): Comparison {
  const left = isObject(old) ? old : {};
  const right = isObject(next) ? next : {};
  const differences = new Differences();
  for (const name of Object.keys(left)) {
    differences.add(fieldElement(name), compareValues(left[name], getOwn(right, name), fieldType(map, name)));
  }
  for (const name of Object.keys(right)) {
    if (!Object.hasOwn(left, name)) differences.add(fieldElement(name), compareValues(undefined, right[name], fieldType(map, name)));
  }
  return differences.comparison();
}

function compareLists(list: ListType, old: unknown, next: unknown): Comparison {
  const left = itemsByElement(list, old);
  const right = itemsByElement(list, next);
  const differences = new Differences();
  for (const [element, items] of left) differences.add(element, compareItems(list, items, right.get(element) ?? []));
  for (const [element, items] of right) {
    if (!left.has(element)) differences.add(element, compareItems(list, [], items));
  }
  return differences.comparison();
}

function itemsByElement(list: ListType, value: unknown): Map<PathElement, unknown[]> {
  const items = new Map<PathElement, unknown[]>();
  for (const item of Array.isArray(value) ? (value as readonly unknown[]) : []) {
    const element = list.elementOf(item);
    const known = items.get(element);
    if (known === undefined) items.set(element, [item]);
    else known.push(item);
  }
  return items;
}

/** Items given several times are compared as one value. */
function compareItems(list: ListType, old: readonly unknown[], next: readonly unknown[]): Comparison {
  if (old.length > 1 && next.length > 0) return deepEqual(old, next) ? same : { ...same, modified: leafSet };
  if (next.length > 1 && old.length > 0) return { ...same, modified: leafSet };
  return compareValues(old[0], next[0], list.items);
}

/** Gathers what differs below one value. */
class Differences {
  readonly #added = new Map<PathElement, FieldSet>();
  readonly #modified = new Map<PathElement, FieldSet>();
  readonly #removed = new Map<PathElement, FieldSet>();

  add(element: PathElement, found: Comparison): void {
    if (found === same) return;
    if (found.added !== emptySet) this.#added.set(element, found.added);
    if (found.modified !== emptySet) this.#modified.set(element, found.modified);
    if (found.removed !== emptySet) this.#removed.set(element, found.removed);
  }

  comparison(): Comparison {
    const { size } = this.#added;
    if (size + this.#modified.size + this.#removed.size === 0) return same;
    return { added: fieldSet(false, this.#added), modified: fieldSet(false, this.#modified), removed: fieldSet(false, this.#removed) };
  }
}
