import type { FieldPath, PathElement } from './path-element.ts';

/**
 * A set of field paths, as a tree. `member` says whether the path that leads here is in the set; children lead on. No
 * node but the root is empty, so equal sets have equal trees. Sets are never changed once made and may share parts.
 */
export interface FieldSet {
  readonly member: boolean;
  readonly children: ReadonlyMap<PathElement, FieldSet>;
}

type Children = ReadonlyMap<PathElement, FieldSet>;

const noChildren: Children = new Map();

/** The set without paths. */
export const emptySet: FieldSet = { member: false, children: noChildren };
/** A path that is in the set and leads nowhere else. */
export const leafSet: FieldSet = { member: true, children: noChildren };

/** Makes a node; keeps the promise that empty ones are not kept. */
export function fieldSet(member: boolean, children: Children): FieldSet {
  if (children.size > 0) return { member, children };
  return member ? leafSet : emptySet;
}

export function isEmptySet({ member, children }: FieldSet): boolean {
  return !member && children.size === 0;
}

export function setOfPaths(paths: Iterable<FieldPath>): FieldSet {
  let set = emptySet;
  for (const path of paths) set = union(set, pathSet(path));
  return set;
}

function pathSet(path: FieldPath): FieldSet {
  return path.reduceRight<FieldSet>((below, element) => ({ member: false, children: new Map([[element, below]]) }), leafSet);
}

/** Every path of the set, in no particular order. */
export function pathsOf(set: FieldSet, prefix: FieldPath = []): FieldPath[] {
  const below = [...set.children].flatMap(([element, child]) => pathsOf(child, [...prefix, element]));
  return set.member && prefix.length > 0 ? [prefix, ...below] : below;
}

export function hasPath(set: FieldSet, path: FieldPath): boolean {
  return subsetAt(set, path).member;
}

/** What the set holds at and below a path. */
export function subsetAt(set: FieldSet, path: FieldPath): FieldSet {
  let node: FieldSet | undefined = set;
  for (const element of path) node = node?.children.get(element);
  return node ?? emptySet;
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (a.member !== b.member || a.children.size !== b.children.size) return false;
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other === undefined || !equalSets(child, other)) return false;
  }
  return true;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  const children = new Map(a.children);
  for (const [element, child] of b.children) {
    const own = a.children.get(element);
    children.set(element, own === undefined ? child : union(own, child));
  }
  return fieldSet(a.member || b.member, children);
}

/** Paths that are in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other !== undefined) keep(children, element, intersection(child, other));
  }
  return fieldSet(a.member && b.member, children);
}

/** Paths of `a` that are not in `b`; what lies below a path of `b` stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b)) return a;
  return without(a, b, false);
}

/** Paths of `a` that are neither in `b` nor below a path of it. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b)) return a;
  return without(a, b, true);
}

function without(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet {
  if (recursive && b.member) return emptySet;
  const children = new Map<PathElement, FieldSet>();
  let changed = a.member && b.member;
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    const kept = other === undefined ? child : without(child, other, recursive);
    changed ||= kept !== child;
    keep(children, element, kept);
  }
  return changed ? fieldSet(a.member && !b.member, children) : a;
}

function keep(children: Map<PathElement, FieldSet>, element: PathElement, set: FieldSet): void {
  if (!isEmptySet(set)) children.set(element, set);
}
