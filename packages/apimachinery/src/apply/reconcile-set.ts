import { getOwn, isObject } from '../json/object.ts';
import { shapeOf, typeAt } from './apply-type.ts';
import type { ApplyType, ListType } from './apply-type.ts';
import { fieldSet, leafSet, subsetAt } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { fieldSetOf } from './field-set-of.ts';
import { fieldOf } from './path-element.ts';
import type { FieldPath, PathElement } from './path-element.ts';

export interface ReconcileOptions {
  readonly type: ApplyType;
  /** The whole object as it is stored. */
  readonly live: unknown;
  /** The sets of all managers in this version. */
  readonly everyone: readonly FieldSet[];
}

/**
 * Brings a stored set in line with the present schema (wire contract 5.2, step 1): who owned something below what is now
 * atomic owns all of it; who owned what was atomic and is now granular owns everything the live value has there. A map or
 * list owned without its content looks the same when it was merely empty once; that it was is plain when anybody owns
 * parts of it. Answers the same set when nothing changed.
 */
export function reconcileSet(set: FieldSet, { type, live, everyone }: ReconcileOptions): FieldSet {
  return below(set, { type, live, everyone, path: [] });
}

interface Place extends ReconcileOptions {
  readonly path: FieldPath;
}

function reconcile(set: FieldSet, place: Place): FieldSet {
  const { type, live } = place;
  if (type.kind === 'scalar' || type.kind === 'deduced') return set;
  if (type.kind === 'map' ? type.atomic : type.relationship === 'atomic') return set.children.size > 0 ? leafSet : set;
  if (set.children.size > 0) return below(set, place);
  const wasAtomic = place.everyone.every((other) => subsetAt(other, place.path).children.size === 0);
  return wasAtomic ? fieldSet(true, fieldSetOf(live ?? null, type).children) : set;
}

function below(set: FieldSet, { type, live, everyone, path }: Place): FieldSet {
  let changed = false;
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of set.children) {
    const childType = typeAt(type, element);
    const reconciled =
      childType === undefined || childType.kind === 'scalar'
        ? child
        : reconcile(child, { type: childType, live: valueAt(live, type, element), everyone, path: [...path, element] });
    changed ||= reconciled !== child;
    children.set(element, reconciled);
  }
  return changed ? fieldSet(set.member, children) : set;
}

function valueAt(value: unknown, type: ApplyType, element: PathElement): unknown {
  const field = fieldOf(element);
  if (field !== undefined) return isObject(value) ? getOwn(value, field) : undefined;
  const shape = shapeOf(type, value);
  return isList(shape) ? (value as readonly unknown[]).find((item) => shape.elementOf(item) === element) : undefined;
}

function isList(shape: ReturnType<typeof shapeOf>): shape is ListType {
  return shape !== 'leaf' && shape.kind === 'list';
}
