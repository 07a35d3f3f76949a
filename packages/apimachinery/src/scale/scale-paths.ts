import { getOwn, isObject, setOwn } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';

/**
 * Where the objects of a kind keep what their `/scale` shows (wire contract 2.8): paths of fields with a dot before each,
 * `.spec.replicas`, as in a CustomResourceDefinition.
 */
export interface ScalePaths {
  /** An integer below `.spec`. */
  readonly specReplicasPath: string;
  /** An integer below `.status`. */
  readonly statusReplicasPath: string;
  /** A label selector as text, below `.spec` or `.status`; autoscalers need it. */
  readonly labelSelectorPath?: string;
}

/** The names of the fields that lead to a value: `.spec.replicas` is `spec`, `replicas`. */
export function fieldNames(path: string): string[] {
  return path.split('.').slice(1);
}

export function valueAt(object: JsonObject, path: string): unknown {
  return fieldNames(path).reduce<unknown>((value, name) => (isObject(value) ? getOwn(value, name) : undefined), object);
}

/** Changes the object in place; what is missing on the way is made. */
export function setValueAt(object: JsonObject, path: string, value: unknown): void {
  const names = fieldNames(path);
  const last = names.pop();
  if (last === undefined) return;
  let parent = object;
  for (const name of names) {
    const next = getOwn(parent, name);
    const below = isObject(next) ? next : {};
    if (below !== next) setOwn(parent, name, below);
    parent = below;
  }
  setOwn(parent, last, value);
}
