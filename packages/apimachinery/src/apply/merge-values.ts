import { getOwn, isObject, setOwn } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { fieldType, isEmptyValue, shapeOf } from './apply-type.ts';
import type { ApplyType, ListType, MapType } from './apply-type.ts';
import type { PathElement } from './path-element.ts';

/**
 * The live value with an applied one on top (wire contract 5.2, step 2): structs and granular maps field by field, sets
 * as a union, keyed lists item by item, anything else as a whole. Where both have an order, the applied one counts. The
 * inputs are left alone; the result shares parts with them.
 */
export function mergeValues(live: unknown, applied: unknown, type: ApplyType): unknown {
  if (applied === undefined) return live;
  // Null has no shape of its own: over a value that is looked into, it changes nothing.
  const shape = shapeOf(type, applied === null ? live : applied);
  if (shape === 'leaf' || (isEmptyValue(applied) && isEmpty(live, shape))) return applied;
  return shape.kind === 'map' ? mergeMaps(live, applied, shape) : mergeLists(live, applied, shape);
}

/** True when there is nothing to merge with: absent, empty, or of another shape. */
function isEmpty(value: unknown, shape: MapType | ListType): boolean {
  return value === undefined || isEmptyValue(value) || (shape.kind === 'map' ? !isObject(value) : !Array.isArray(value));
}

function mergeMaps(live: unknown, applied: unknown, map: MapType): JsonObject {
  const left = isObject(live) ? live : {};
  const right = isObject(applied) ? applied : {};
  const merged: JsonObject = {};
  for (const name of Object.keys(left)) setOwn(merged, name, mergeValues(left[name], getOwn(right, name), fieldType(map, name)));
  for (const name of Object.keys(right)) {
    if (!Object.hasOwn(left, name)) setOwn(merged, name, mergeValues(undefined, right[name], fieldType(map, name)));
  }
  return merged;
}

/**
 * Items of both sides come where the applied list has them; items only the live list has stay before the next item that
 * both have.
 */
function mergeLists(live: unknown, applied: unknown, list: ListType): unknown[] {
  const left = Array.isArray(live) ? (live as readonly unknown[]) : [];
  const right = Array.isArray(applied) ? (applied as readonly unknown[]) : [];
  const leftElements = left.map((item) => list.elementOf(item));
  const liveItems = uniqueItems(left, leftElements);
  const pending = right.map((item) => ({ item, element: list.elementOf(item) }));
  const wanted = new Set(pending.map(({ element }) => element));
  const shared = pending.map(({ element }) => element).filter((element) => liveItems.has(element));

  const merged: unknown[] = [];
  const take = (count: number): void => {
    for (const { item, element } of pending.splice(0, count)) merged.push(mergeValues(liveItems.get(element), item, list.items));
  };
  for (const [at, element] of leftElements.entries()) {
    if (!wanted.has(element)) {
      merged.push(left[at]);
    } else if (element === shared[0]) {
      shared.shift();
      take(pending.findIndex((next) => next.element === element) + 1);
    }
  }
  take(pending.length);
  return merged;
}

/** Items by element. One given several times has no item to merge with: the applied one takes its place. */
function uniqueItems(items: readonly unknown[], elements: readonly PathElement[]): Map<PathElement, unknown> {
  const unique = new Map<PathElement, unknown>();
  for (const [at, element] of elements.entries()) unique.set(element, unique.has(element) ? undefined : items[at]);
  return unique;
}
