import type { CacheEvent } from './cache-event.ts';
import type { StoredObject } from './cached-object.ts';
import type { Requirement, Selection } from './contract.ts';
import type { QueueWatcher } from './queue-watcher.ts';
import { propertyOf, valuesOf } from './selection.ts';

/** Watchers that demand a value of the same property, by the values they demand. */
interface Lane {
  readonly valuesOf: (object: StoredObject) => readonly string[];
  readonly byValue: Map<string, Set<QueueWatcher>>;
}

/** Where a watcher is found: in the lane of the one property that tells it best from others. */
interface Place {
  readonly lane: string;
  readonly valuesOf: Lane['valuesOf'];
  readonly values: readonly string[];
}

/**
 * The watchers of one resource. An event is brought to those whose namespace, name, label, field or owner it has or had: of
 * 200 watchers of a namespace or an object each, 199 do not hear of it.
 */
export class WatcherSet {
  readonly #lanes = new Map<string, Lane>();
  readonly #watchers = new Map<QueueWatcher, Selection>();

  get size(): number {
    return this.#watchers.size;
  }

  add(watcher: QueueWatcher, selection: Selection): void {
    this.#watchers.set(watcher, selection);
    const place = placeOf(selection);
    let lane = this.#lanes.get(place.lane);
    if (lane === undefined) {
      lane = { valuesOf: place.valuesOf, byValue: new Map() };
      this.#lanes.set(place.lane, lane);
    }
    for (const value of place.values) {
      const sharing = lane.byValue.get(value);
      if (sharing === undefined) lane.byValue.set(value, new Set([watcher]));
      else sharing.add(watcher);
    }
  }

  delete(watcher: QueueWatcher): void {
    const selection = this.#watchers.get(watcher);
    if (selection === undefined) return;
    this.#watchers.delete(watcher);
    const place = placeOf(selection);
    const lane = this.#lanes.get(place.lane);
    if (lane === undefined) return;
    for (const value of place.values) {
      const sharing = lane.byValue.get(value);
      sharing?.delete(watcher);
      if (sharing?.size === 0) lane.byValue.delete(value);
    }
    if (lane.byValue.size === 0) this.#lanes.delete(place.lane);
  }

  all(): readonly QueueWatcher[] {
    return [...this.#watchers.keys()];
  }

  /** The events each watcher may be concerned by, in their order. */
  concernedBy(events: readonly CacheEvent[]): ReadonlyMap<QueueWatcher, readonly CacheEvent[]> {
    const concerned = new Map<QueueWatcher, CacheEvent[]>();
    for (const event of events) {
      for (const lane of this.#lanes.values()) {
        for (const value of valuesBeforeAndAfter(event, lane.valuesOf)) {
          for (const watcher of lane.byValue.get(value) ?? []) {
            const own = concerned.get(watcher);
            if (own === undefined) concerned.set(watcher, [event]);
            // A watcher of several values is met again when the event leads from one of them to another.
            else if (own.at(-1) !== event) own.push(event);
          }
        }
      }
    }
    return concerned;
  }
}

const everything: readonly string[] = [''];

function placeOf({ namespace = '', requirements = [] }: Selection): Place {
  const demanded = requirements.toSorted((a, b) => rank(a) - rank(b))[0];
  if (demanded !== undefined) {
    return { lane: propertyOf(demanded), valuesOf: (object) => valuesOf(object, demanded), values: demanded.values };
  }
  if (namespace !== '') return { lane: 'namespace', valuesOf: (object) => [object.namespace], values: [namespace] };
  return { lane: 'everything', valuesOf: () => everything, values: everything };
}

/** The fewer objects are likely to share a value of the property, the earlier. */
function rank(requirement: Requirement): number {
  if (requirement.by === 'field') return requirement.name === 'metadata.name' ? 0 : requirement.name === 'metadata.namespace' ? 4 : 3;
  return requirement.by === 'owner' ? 1 : 2;
}

function valuesBeforeAndAfter({ object, previous }: CacheEvent, valuesOf: Lane['valuesOf']): readonly string[] {
  const after = valuesOf(object);
  if (previous === undefined) return after;
  const before = valuesOf(previous);
  return before.every((value) => after.includes(value)) ? after : [...new Set([...before, ...after])];
}
