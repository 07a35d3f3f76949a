import { deepEqual, getOwn } from '../json/object.ts';

/** Fields whose change does not raise `metadata.generation`. */
const outside = new Set(['apiVersion', 'kind', 'metadata', 'status']);

/** True when anything but metadata and status differs: what raises `metadata.generation` (wire contract 3.1). */
export function specChanged(object: object, old: object): boolean {
  const left = object as Record<string, unknown>;
  const right = old as Record<string, unknown>;
  for (const field of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (!outside.has(field) && !deepEqual(getOwn(left, field), getOwn(right, field))) return true;
  }
  return false;
}
