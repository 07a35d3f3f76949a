import { isObject } from '../json/object.ts';
import { fieldType, isEmptyValue, shapeOf } from './apply-type.ts';
import type { ApplyType } from './apply-type.ts';
import { emptySet, fieldSet, leafSet, union } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { fieldElement } from './path-element.ts';
import type { PathElement } from './path-element.ts';

/**
 * What somebody who applies a value says about it (wire contract 5.2, step 3): every leaf, every list item, every key of
 * a map, and whatever is explicitly null or empty. The named fields of a struct that only hold others are not included.
 */
export function fieldSetOf(value: unknown, type: ApplyType): FieldSet {
  return visit(value, type, false);
}

/** Every path of a value, also those that only hold others: what a value consists of when it is new, or goes. */
export function everyPathOf(value: unknown, type: ApplyType): FieldSet {
  return visit(value, type, true);
}

function visit(value: unknown, type: ApplyType, containers: boolean): FieldSet {
  const shape = shapeOf(type, value);
  if (shape === 'leaf' || isEmptyValue(value)) return leafSet;
  const children = new Map<PathElement, FieldSet>();
  if (shape.kind === 'list') {
    for (const item of value as readonly unknown[]) {
      const element = shape.elementOf(item);
      children.set(element, union(children.get(element) ?? emptySet, included(visit(item, shape.items, containers))));
    }
  } else if (isObject(value)) {
    for (const name of Object.keys(value)) {
      if (value[name] === undefined) continue;
      const below = visit(value[name], fieldType(shape, name), containers);
      children.set(fieldElement(name), shape.declares(name) ? below : included(below));
    }
  }
  return fieldSet(containers, children);
}

function included(set: FieldSet): FieldSet {
  return set.member ? set : fieldSet(true, set.children);
}
