import { difference, fieldSet, setOfPaths } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { fieldElement } from './path-element.ts';
import type { PathElement } from './path-element.ts';

/** The top-level fields a write can change at all; the others go back to what they were (wire contract 2.8). */
export type WritableFields = { readonly only: readonly string[] } | { readonly except: readonly string[] };

const serverFields = [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
];

/** What no manager ever owns (wire contract 3.4). */
const neverTracked = setOfPaths([
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...serverFields.map((name) => ['f:metadata', fieldElement(name)]),
]);

/** A set without what is never tracked, and without the fields that a write through this subresource cannot change. */
export function trackedFields(set: FieldSet, writable: WritableFields): FieldSet {
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of set.children) {
    if (isWritable(element, writable)) children.set(element, child);
  }
  return difference(fieldSet(false, children), neverTracked);
}

function isWritable(element: PathElement, writable: WritableFields): boolean {
  const named = (names: readonly string[]): boolean => names.some((name) => fieldElement(name) === element);
  return 'only' in writable ? named(writable.only) : !named(writable.except);
}
