import { messageOf, type Logger } from '@arc/kernel';
import { assertNotFuture } from '../follow-changes.ts';
import { compareKeys, keyAfter, prefixEnd, rangeStart } from '../key-order.ts';
import { SegmentedMap } from '../segmented-map.ts';
import { undecodable } from '../storage-error.ts';
import type { ChangeEvent, StoredValue, StoreKey } from '../store.ts';
import { CacheEvent } from './cache-event.ts';
import { decodeStored, StoredObject } from './cached-object.ts';
import type { CachedResource, ListOptions, ListResult, ObjectRun, Selection } from './contract.ts';
import { EventHistory, type HistoryLimits } from './event-history.ts';
import { isBetween, type OrderedObjects, runOf } from './object-index.ts';
import { ObjectIndexes } from './object-indexes.ts';
import { gatheredRun, RunList, selectRuns } from './object-runs.ts';
import { picksOf, requiredField } from './selection.ts';

export interface PartitionStateOptions {
  /** History is complete for everything after this revision. */
  readonly floor: number;
  readonly limits: HistoryLimits;
  readonly logger: Logger;
}

/** Why a stored value is no object. */
interface Damage {
  readonly revision: number;
  readonly reason: string;
}

/** What a value turned out to be; undefined: there is none. */
type Decoded = StoredObject | Damage | undefined;

/** The objects of one resource and the events that led to them. */
export class PartitionState {
  readonly history: EventHistory;
  readonly #resource: CachedResource;
  readonly #logger: Logger;
  readonly #objects = new SegmentedMap<StoredObject>();
  readonly #indexes = new ObjectIndexes(this.#objects);
  readonly #damaged = new Map<StoreKey, Damage>();
  #bytes = 0;

  constructor(resource: CachedResource, options: PartitionStateOptions) {
    this.#resource = resource;
    this.#logger = options.logger;
    this.history = new EventHistory(options.limits, options.floor);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Of all objects. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keys whose values do not decode. */
  get undecodable(): readonly StoreKey[] {
    return [...this.#damaged.keys()].sort(compareKeys);
  }

  /** @throws StorageError `Undecodable` */
  get(key: StoreKey): StoredObject | undefined {
    const damage = this.#damaged.get(key);
    if (damage !== undefined) throw undecodable(key, damage.revision, damage.reason);
    return this.#objects.get(key);
  }

  /** The objects have fields they did not have before. */
  forgetIndexes(): void {
    this.#indexes.clear();
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
    const { limit = 0, at = revision } = options;
    const picks = picksOf(options);
    const base = this.#scope(options);
    const start = rangeStart(base, options.after);
    const end = prefixEnd(base);
    const past = at === revision ? unchanged : this.#changedSince(at, revision);
    const candidates = this.#candidates(options, base, { start, end });
    const { runs, next } = selectRuns(runsAt(candidates, past, { start, end }), { filter: picks, limit });
    const remaining = next === undefined || picks !== undefined ? undefined : this.#countAt(past, keyAfter(next), end);
    return new RunList({ revision: at, runs, next, remaining });
  }

  /** Takes in a value as it is, without an event: the initial state. */
  load(stored: StoredValue): void {
    this.#put(stored.key, this.#decode(stored));
  }

  /** Applies a change that follows the present state; returns the event readers see, if they see one. */
  apply(change: ChangeEvent, now: number): CacheEvent | undefined {
    const object = this.#contentOf(change);
    const previous = this.#put(change.key, object);
    const event = eventBetween(previous, object, change.revision);
    if (event !== undefined) this.history.push(event, now);
    return event;
  }

  /** Remembers changes that led to the present state, in order, so that watches and snapshots reach back to before them. */
  remember(changes: readonly ChangeEvent[], now: number): void {
    const latest = new Map<StoreKey, Decoded>();
    for (const change of changes) {
      const known = latest.get(change.key) ?? (change.previous === undefined ? undefined : this.#decode(change.previous));
      const object = this.#contentOf(change);
      const event = eventBetween(known, object, change.revision);
      latest.set(change.key, object);
      if (event !== undefined) this.history.push(event, now);
    }
  }

  /** Puts what was decoded in the place of what is held under the key, and returns that. */
  #put(key: StoreKey, decoded: Decoded): StoredObject | undefined {
    const object = decoded instanceof StoredObject ? decoded : undefined;
    const previous = object === undefined ? this.#objects.delete(key) : this.#objects.set(object);
    if (decoded === undefined || decoded instanceof StoredObject) this.#damaged.delete(key);
    else this.#damaged.set(key, decoded);
    this.#bytes += (object?.bytes.length ?? 0) - (previous?.bytes.length ?? 0);
    this.#indexes.replace(previous, object);
    return previous;
  }

  #contentOf({ key, revision, value }: ChangeEvent): Decoded {
    if (value === null) return undefined;
    const live = this.#objects.get(key);
    return live?.revision === revision ? live : this.#decode({ key, revision, value });
  }

  #decode(stored: StoredValue): StoredObject | Damage {
    try {
      return decodeStored(stored, this.#resource);
    } catch (error) {
      const { key, revision } = stored;
      const reason = messageOf(error);
      this.#logger.error('a stored object does not decode and is left out', { key, revision, reason });
      return { revision, reason };
    }
  }

  /** What all keys of the namespace start with, as far as a selection names one. */
  #scope(selection: Selection): string {
    const { prefix, namespaced } = this.#resource;
    const { namespace = '' } = selection;
    const demanded = requiredField(selection, 'metadata.namespace') ?? [];
    const only = namespace === '' && demanded.length === 1 ? demanded[0] : namespace;
    return namespaced && only !== undefined && only !== '' ? `${prefix}${only}/` : prefix;
  }

  /** The objects that may be picked, without those that cannot. */
  #candidates(selection: Selection, scope: string, { start, end }: KeyRange): OrderedObjects {
    const { requirements = [] } = selection;
    if (requirements.length === 0) return this.#objects;
    const { prefix, namespaced } = this.#resource;
    const names = !namespaced || scope !== prefix ? requiredField(selection, 'metadata.name') : undefined;
    if (names?.length === 1) return this.#only(`${scope}${names[0] ?? ''}`);
    return this.#indexes.candidates(requirements, start, end) ?? this.#objects;
  }

  #only(key: StoreKey): OrderedObjects {
    const object = this.#objects.get(key);
    return { runs: (start, end) => (object === undefined ? [] : runOf([object], start, end)) };
  }

  /** What each key changed after revision `at` held then; undefined = nothing. @throws StorageError `Compacted` */
  #changedSince(at: number, revision: number): PastObjects {
    assertNotFuture(at, revision);
    const past = new Map<StoreKey, StoredObject | undefined>();
    for (const { object, previous } of this.history.since(at)) {
      if (!past.has(object.key)) past.set(object.key, previous);
    }
    return past;
  }

  #countAt(past: PastObjects, start: StoreKey, end: StoreKey | undefined): number {
    let count = this.#objects.count(start, end);
    for (const [key, object] of past) {
      if (!isBetween(key, start, end)) continue;
      count += (object === undefined ? 0 : 1) - (this.#objects.get(key) === undefined ? 0 : 1);
    }
    return count;
  }
}

/** What readers see happen; nothing when the key was and is unreadable to them. */
function eventBetween(previous: Decoded, object: Decoded, revision: number): CacheEvent | undefined {
  const before = previous instanceof StoredObject ? previous : undefined;
  if (object instanceof StoredObject) return new CacheEvent(before === undefined ? 'ADDED' : 'MODIFIED', object, before);
  return before === undefined ? undefined : new CacheEvent('DELETED', before.withRevision(revision), before);
}

interface KeyRange {
  readonly start: StoreKey;
  readonly end: StoreKey | undefined;
}

type PastObjects = ReadonlyMap<StoreKey, StoredObject | undefined>;

const unchanged: PastObjects = new Map();

/** What stood in the range in the past; segments in which nothing has changed since are handed out as they are. */
function* runsAt(objects: OrderedObjects, past: PastObjects, { start, end }: KeyRange): Generator<ObjectRun, void, void> {
  const changed = [...past.keys()].filter((key) => isBetween(key, start, end)).toSorted(compareKeys);
  const kept = objects instanceof SegmentedMap;
  let next = 0;
  const restoredUpTo = (last: StoreKey | undefined): StoredObject[] => {
    const from = next;
    while (next < changed.length && (last === undefined || compareKeys(changed[next] ?? '', last) <= 0)) next += 1;
    return changed.slice(from, next).flatMap((key) => past.get(key) ?? []);
  };
  for (const { segment, from, to } of objects.runs(start, end)) {
    const before = next;
    const restored = restoredUpTo(segment[to - 1]?.key);
    if (next === before) {
      yield { segment, from, to, kept };
    } else {
      const unchanged = segment.slice(from, to).filter(({ key }) => !past.has(key));
      yield gatheredRun([...unchanged, ...restored].toSorted(byKey));
    }
  }
  yield gatheredRun(restoredUpTo(undefined));
}

function byKey(a: StoredObject, b: StoredObject): number {
  return compareKeys(a.key, b.key);
}
