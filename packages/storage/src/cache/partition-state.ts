import { messageOf, type Logger } from '@arc/kernel';
import { assertNotFuture } from '../follow-changes.ts';
import { compareKeys, keyAfter, prefixEnd, rangeStart } from '../key-order.ts';
import { SegmentedMap } from '../segmented-map.ts';
import type { ChangeEvent, StoredValue, StoreKey } from '../store.ts';
import { CacheEvent } from './cache-event.ts';
import { decodeStored, type StoredObject } from './cached-object.ts';
import type { CachedResource, ListOptions, ListResult, ObjectRun } from './contract.ts';
import { EventHistory, type HistoryLimits } from './event-history.ts';
import { gatheredRun, RunList, selectRuns } from './object-runs.ts';

export interface PartitionStateOptions {
  /** History is complete for everything after this revision. */
  readonly floor: number;
  readonly limits: HistoryLimits;
  readonly logger: Logger;
}

/** The objects of one resource and the events that led to them. */
export class PartitionState {
  readonly history: EventHistory;
  readonly #resource: CachedResource;
  readonly #logger: Logger;
  readonly #objects = new SegmentedMap<StoredObject>();
  readonly #undecodable = new Set<StoreKey>();

  constructor(resource: CachedResource, options: PartitionStateOptions) {
    this.#resource = resource;
    this.#logger = options.logger;
    this.history = new EventHistory(options.limits, options.floor);
  }

  get undecodable(): number {
    return this.#undecodable.size;
  }

  get(key: StoreKey): StoredObject | undefined {
    return this.#objects.get(key);
  }

  /** Every object that is held, those only history knows included. */
  all(): ReadonlySet<StoredObject> {
    const objects = new Set<StoredObject>();
    this.#objects.walk('', undefined, (object) => objects.add(object).size > 0);
    for (const { object, previous } of this.history.since(this.history.floor)) {
      objects.add(object);
      if (previous !== undefined) objects.add(previous);
    }
    return objects;
  }

  /** Lists at `options.at`, or at `revision`, which is what the objects are at now. */
  list(revision: number, options: ListOptions): ListResult {
    const { filter, limit = 0, at = revision } = options;
    const base = this.#scope(options.namespace);
    const end = prefixEnd(base);
    const past = at === revision ? unchanged : this.#changedSince(at, revision);
    const { runs, next } = selectRuns(this.#runsAt(past, rangeStart(base, options.after), end), { filter, limit });
    const remaining = next === undefined || filter !== undefined ? undefined : this.#countAt(past, keyAfter(next), end);
    return new RunList({ revision: at, runs, next, remaining });
  }

  /** Takes in a value as it is, without an event: the initial state. */
  load(stored: StoredValue): void {
    const object = this.#decode(stored);
    if (object === undefined) this.#undecodable.add(stored.key);
    else this.#objects.set(object);
  }

  /** Applies a change that follows the present state; returns the event readers see, if they see one. */
  apply(change: ChangeEvent, now: number): CacheEvent | undefined {
    const object = this.#contentOf(change);
    if (object === undefined && change.value !== null) this.#undecodable.add(change.key);
    else this.#undecodable.delete(change.key);
    const event = eventBetween(this.#objects.get(change.key), object, change.revision);
    if (event === undefined) return undefined;
    if (object === undefined) this.#objects.delete(change.key);
    else this.#objects.set(object);
    this.history.push(event, now);
    return event;
  }

  /** Remembers changes that led to the present state, in order, so that watches and snapshots reach back to before them. */
  remember(changes: readonly ChangeEvent[], now: number): void {
    const latest = new Map<StoreKey, StoredObject | undefined>();
    for (const change of changes) {
      const known = latest.has(change.key) ? latest.get(change.key) : change.previous && this.#decode(change.previous);
      const object = this.#contentOf(change);
      const event = eventBetween(known, object, change.revision);
      latest.set(change.key, object);
      if (event !== undefined) this.history.push(event, now);
    }
  }

  #contentOf({ key, revision, value }: ChangeEvent): StoredObject | undefined {
    if (value === null) return undefined;
    const live = this.#objects.get(key);
    return live?.revision === revision ? live : this.#decode({ key, revision, value });
  }

  #decode(stored: StoredValue): StoredObject | undefined {
    try {
      return decodeStored(stored, this.#resource);
    } catch (error) {
      this.#logger.error('a stored object does not decode and is left out', {
        key: stored.key,
        revision: stored.revision,
        reason: messageOf(error),
      });
      return undefined;
    }
  }

  #scope(namespace: string | undefined): string {
    return this.#resource.namespaced && namespace !== undefined && namespace !== ''
      ? `${this.#resource.prefix}${namespace}/`
      : this.#resource.prefix;
  }

  /** What each key changed after revision `at` held then; undefined = nothing. @throws StorageError `Compacted` */
  #changedSince(at: number, revision: number): ReadonlyMap<StoreKey, StoredObject | undefined> {
    assertNotFuture(at, revision);
    const past = new Map<StoreKey, StoredObject | undefined>();
    for (const { object, previous } of this.history.since(at)) {
      if (!past.has(object.key)) past.set(object.key, previous);
    }
    return past;
  }

  /** What stood from `start` to `end`; segments in which nothing has changed since are handed out as they are. */
  *#runsAt(
    past: ReadonlyMap<StoreKey, StoredObject | undefined>,
    start: StoreKey,
    end: StoreKey | undefined,
  ): Generator<ObjectRun, void, void> {
    const changed = [...past.keys()].filter((key) => isBetween(key, start, end)).toSorted(compareKeys);
    let next = 0;
    const restoredUpTo = (last: StoreKey | undefined): StoredObject[] => {
      const from = next;
      while (next < changed.length && (last === undefined || compareKeys(changed[next] ?? '', last) <= 0)) next += 1;
      return changed.slice(from, next).flatMap((key) => past.get(key) ?? []);
    };
    for (const { segment, from, to } of this.#objects.runs(start, end)) {
      const before = next;
      const restored = restoredUpTo(segment[to - 1]?.key);
      if (next === before) {
        yield { segment, from, to, kept: true };
      } else {
        const unchanged = segment.slice(from, to).filter(({ key }) => !past.has(key));
        yield gatheredRun([...unchanged, ...restored].toSorted(byKey));
      }
    }
    yield gatheredRun(restoredUpTo(undefined));
  }

  #countAt(past: ReadonlyMap<StoreKey, StoredObject | undefined>, start: StoreKey, end: StoreKey | undefined): number {
    let count = this.#objects.count(start, end);
    for (const [key, object] of past) {
      if (!isBetween(key, start, end)) continue;
      count += (object === undefined ? 0 : 1) - (this.#objects.get(key) === undefined ? 0 : 1);
    }
    return count;
  }
}

const unchanged: ReadonlyMap<StoreKey, StoredObject | undefined> = new Map();

/** What readers saw happen; nothing when the key was and is unreadable to them. */
function eventBetween(previous: StoredObject | undefined, object: StoredObject | undefined, revision: number): CacheEvent | undefined {
  if (object !== undefined) return new CacheEvent(previous === undefined ? 'ADDED' : 'MODIFIED', object, previous);
  return previous === undefined ? undefined : new CacheEvent('DELETED', previous.withRevision(revision), previous);
}

function isBetween(key: StoreKey, start: StoreKey, end: StoreKey | undefined): boolean {
  return compareKeys(key, start) >= 0 && (end === undefined || compareKeys(key, end) < 0);
}

function byKey(a: StoredObject, b: StoredObject): number {
  return compareKeys(a.key, b.key);
}
