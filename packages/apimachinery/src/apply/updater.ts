import { deepEqual } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { typeAt } from './apply-type.ts';
import type { ApplyType } from './apply-type.ts';
import { compareValues } from './compare-values.ts';
import type { Comparison } from './compare-values.ts';
import { conflictsWith } from './conflicts.ts';
import type { Conflict } from './conflicts.ts';
import { difference, emptySet, equalSets, fieldSet, intersection, isEmptySet, union } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { fieldSetOf } from './field-set-of.ts';
import { managerId, withSet } from './managers.ts';
import type { Manager, ManagerIdentity, Managers } from './managers.ts';
import { mergeValues } from './merge-values.ts';
import { fieldOf } from './path-element.ts';
import type { PathElement } from './path-element.ts';
import { reconcileSet } from './reconcile-set.ts';
import { removePaths } from './remove-paths.ts';

/** A version in which objects of a kind can be looked at. */
export interface TypedVersion {
  readonly type: ApplyType;
  /** The object in this version, whichever it comes in. */
  convert(object: JsonObject): JsonObject;
}

export interface UpdaterOptions {
  /** Undefined for versions that are no longer served: their managers are forgotten. */
  readonly version: (apiVersion: string) => TypedVersion | undefined;
  /** Leaves the fields that the strategy resets, and those never tracked, out of a set. */
  readonly tracked: (set: FieldSet) => FieldSet;
  /** RFC 3339 in UTC, whole seconds. */
  readonly now: string;
}

/** What `applyConfig` answers: the merged object, or what stands in its way. */
export type ApplyResult =
  | { readonly object: JsonObject; readonly managers: Managers }
  | { readonly conflicts: readonly [Conflict, ...Conflict[]] };

/**
 * Who owns what after a create, update or patch (wire contract 5.2): what changed now belongs to `identity` alone, what
 * went belongs to nobody. `live` is empty on create.
 */
export function updateManagers(
  live: JsonObject,
  next: JsonObject,
  options: UpdaterOptions & { readonly identity: ManagerIdentity; readonly managers: Managers },
): Managers {
  const { identity, tracked, now } = options;
  const managers = reconciled(live, options.managers, options);
  const id = managerId(identity);
  const { others, own } = settle(live, next, { ...options, managers, id, apiVersion: identity.apiVersion });
  const changed = tracked(union(own.added, own.modified));
  const before = managers.get(id);
  const set = union(difference(before?.set ?? emptySet, own.removed), changed);
  const time = isEmptySet(changed) ? before?.time : now;
  if (before !== undefined && equalSets(before.set, set)) others.set(id, { ...before, time });
  else if (!isEmptySet(set)) others.set(id, { ...identity, time, set });
  return others;
}

/**
 * Applies a configuration as a manager (wire contract 5.2). Without `force`, fields that would change and are owned by
 * others are conflicts.
 */
export function applyConfig(
  live: JsonObject,
  config: JsonObject,
  options: UpdaterOptions & { readonly identity: ManagerIdentity; readonly managers: Managers; readonly force: boolean },
): ApplyResult {
  const { identity, force, tracked, now } = options;
  const { apiVersion } = identity;
  const type = options.version(apiVersion)?.type;
  if (type === undefined) throw new TypeError(`a configuration is applied in ${apiVersion}, which is not known`);
  const id = managerId(identity);
  const before = reconciled(live, options.managers, options);
  const last = before.get(id);
  const whole = fieldSetOf(config, type);
  const set = tracked(whole);
  // While pruning, the writer also owns what is never tracked: its name is what keeps `metadata` where it is.
  const managers = new Map(before).set(id, { ...identity, time: undefined, set: whole });
  const merged = mergeValues(live, config, type) as JsonObject;
  const object = last === undefined ? merged : pruned(merged, last, managers, { ...options, apiVersion });
  const { others, conflicts } = settle(live, object, { ...options, managers, id, apiVersion });
  const [first, ...rest] = conflicts;
  if (!force && first !== undefined) return { conflicts: [first, ...rest] };
  if (isEmptySet(set)) return { object, managers: others };
  const unchanged = last !== undefined && equalSets(last.set, set) && last.apiVersion === apiVersion && deepEqual(live, object);
  others.set(id, unchanged ? last : { ...identity, time: now, set });
  return { object, managers: others };
}

/** Every set in line with the schema of its version. */
function reconciled(live: JsonObject, managers: Managers, { version }: UpdaterOptions): Managers {
  const liveIn = converter(live, version);
  let changed = false;
  const next = new Map<string, Manager>();
  for (const [id, manager] of managers) {
    const typed = liveIn(manager.apiVersion);
    const set =
      typed === undefined
        ? manager.set
        : reconcileSet(manager.set, { type: typed.type, live: typed.object, everyone: setsIn(manager.apiVersion, managers) });
    changed ||= set !== manager.set;
    next.set(id, withSet(manager, set));
  }
  return changed ? next : managers;
}

function setsIn(apiVersion: string, managers: Managers): FieldSet[] {
  return [...managers.values()].filter((manager) => manager.apiVersion === apiVersion).map(({ set }) => set);
}

interface Settlement {
  /** The other managers, without what is no longer theirs; those left with nothing are gone. */
  readonly others: Map<string, Manager>;
  /** Fields of others that change; they have lost them in `others`. */
  readonly conflicts: Conflict[];
  /** How the object changes, in the version of the writer. */
  readonly own: Comparison;
}

/** Takes from the other managers what changes and what goes. */
function settle(
  live: JsonObject,
  next: JsonObject,
  options: UpdaterOptions & { readonly managers: Managers; readonly id: string; readonly apiVersion: string },
): Settlement {
  const liveIn = converter(live, options.version);
  const nextIn = converter(next, options.version);
  const comparisons = new Map<string, Comparison | undefined>();
  const comparisonIn = (apiVersion: string): Comparison | undefined => {
    if (!comparisons.has(apiVersion)) {
      const from = liveIn(apiVersion);
      const to = nextIn(apiVersion);
      comparisons.set(apiVersion, from && to && compareValues(from.object, to.object, from.type));
    }
    return comparisons.get(apiVersion);
  };
  const others = new Map<string, Manager>();
  const conflicts: Conflict[] = [];
  for (const [id, manager] of options.managers) {
    if (id === options.id) continue;
    const comparison = comparisonIn(manager.apiVersion);
    if (comparison === undefined) continue;
    const taken = options.tracked(intersection(manager.set, union(comparison.modified, comparison.added)));
    conflicts.push(...conflictsWith(manager, taken));
    const left = withSet(manager, difference(difference(manager.set, taken), comparison.removed));
    if (!isEmptySet(left.set)) others.set(id, left);
  }
  return { others, conflicts, own: comparisonIn(options.apiVersion) ?? { added: emptySet, modified: emptySet, removed: emptySet } };
}

/**
 * Takes away what a manager applied last time and no longer does, unless somebody else owns it too (wire contract 5.2,
 * step 4). What lies below goes with it, also when nobody owns that; but what others own keeps what it lies in.
 */
function pruned(
  merged: JsonObject,
  last: Manager,
  managers: Managers,
  { version, apiVersion }: UpdaterOptions & { readonly apiVersion: string },
): JsonObject {
  const lastVersion = version(last.apiVersion);
  if (lastVersion === undefined || isEmptySet(last.set)) return merged;
  const before = lastVersion.convert(merged);
  const { type } = lastVersion;
  const lastSet = withNamedFields(last.set, type);
  let kept = removePaths(before, lastSet, type) as JsonObject;
  for (const [owned, typed] of ownedByVersion(managers, version)) {
    const from = typed.convert(before);
    const whole = withNamedFields(fieldSetOf(from, typed.type), typed.type);
    const left = withNamedFields(fieldSetOf(typed.convert(kept), typed.type), typed.type);
    const wanted = union(left, withNamedFields(owned, typed.type));
    kept = lastVersion.convert(removePaths(from, difference(whole, wanted), typed.type) as JsonObject);
  }
  const gone = difference(withNamedFields(fieldSetOf(before, type), type), withNamedFields(fieldSetOf(kept, type), type));
  const result = removePaths(before, intersection(gone, lastSet), type) as JsonObject;
  return version(apiVersion)?.convert(result) ?? result;
}

function ownedByVersion(managers: Managers, version: UpdaterOptions['version']): [owned: FieldSet, typed: TypedVersion][] {
  const owned = new Map<string, FieldSet>();
  for (const { apiVersion, set } of managers.values()) owned.set(apiVersion, union(owned.get(apiVersion) ?? emptySet, set));
  return [...owned].flatMap(([apiVersion, set]): [FieldSet, TypedVersion][] => {
    const typed = version(apiVersion);
    return typed === undefined ? [] : [[set, typed]];
  });
}

/** The set with the named fields of structs that its paths lead through. */
function withNamedFields(set: FieldSet, type: ApplyType | undefined): FieldSet {
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of set.children) {
    const field = fieldOf(element);
    const below = withNamedFields(child, type === undefined ? undefined : typeAt(type, element));
    const named = field !== undefined && type?.kind === 'map' && type.declares(field);
    children.set(element, named && !below.member ? fieldSet(true, below.children) : below);
  }
  return fieldSet(set.member, children);
}

/** An object in any version, converted once for each. */
function converter(
  object: JsonObject,
  version: UpdaterOptions['version'],
): (apiVersion: string) => { readonly type: ApplyType; readonly object: JsonObject } | undefined {
  const known = new Map<string, { type: ApplyType; object: JsonObject } | undefined>();
  return (apiVersion) => {
    if (!known.has(apiVersion)) {
      const typed = version(apiVersion);
      known.set(apiVersion, typed && { type: typed.type, object: typed.convert(object) });
    }
    return known.get(apiVersion);
  };
}
