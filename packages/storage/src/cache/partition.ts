import type { Logger } from '@arc/kernel';
import { StorageError } from '../storage-error.ts';
import type { ChangeEvent, StoredValue, StoreKey } from '../store.ts';
import type { CacheEvent } from './cache-event.ts';
import type { CachedObject, CachedResource, CacheWatchOptions, ListOptions, ListResult, ResourceCache, Watcher } from './contract.ts';
import type { HistoryLimits } from './event-history.ts';
import { PartitionState } from './partition-state.ts';
import { QueueWatcher } from './queue-watcher.ts';
import { WatcherSet } from './watcher-set.ts';

/** What a partition needs of the cache it is part of. */
export interface PartitionHost {
  /** The revision all partitions have reached. */
  readonly revision: number;
  readonly limits: HistoryLimits;
  readonly logger: Logger;
  monotonic(): number;
  /** @throws StorageError `Loading` */
  assertLoaded(): void;
  /** Asks for `handOut` to be gone through soon, after this turn of the event loop. */
  wantHandOut(partition: Partition): void;
}

export interface PartitionUsage {
  readonly objectBytes: number;
  readonly historyBytes: number;
  readonly historyEvents: number;
  readonly watchers: number;
  readonly slowWatchers: number;
}

/** One resource of the cache: its state and its watchers. */
export class Partition implements ResourceCache {
  readonly #host: PartitionHost;
  readonly #resource: CachedResource;
  readonly #fieldsOf: CachedResource['fieldsOf'][];
  #state: PartitionState;
  readonly #watchers = new WatcherSet();
  #slowWatchers = 0;
  #unsent: CacheEvent[] = [];
  readonly #wantingProgress = new Set<QueueWatcher>();

  constructor(host: PartitionHost, resource: CachedResource, floor: number) {
    this.#host = host;
    this.#fieldsOf = [resource.fieldsOf];
    this.#resource = { ...resource, fieldsOf: (object) => Object.assign({}, ...this.#fieldsOf.map((fieldsOf) => fieldsOf(object))) };
    this.#state = this.emptyState(floor);
  }

  get revision(): number {
    return this.#host.revision;
  }

  get prefix(): string {
    return this.#resource.prefix;
  }

  get size(): number {
    return this.#state.size;
  }

  get usage(): PartitionUsage {
    const { bytes, history } = this.#state;
    return {
      objectBytes: bytes,
      historyBytes: history.heldBytes,
      historyEvents: history.size,
      watchers: this.#watchers.size,
      slowWatchers: this.#slowWatchers,
    };
  }

  undecodable({ namespace = '', name }: { readonly namespace?: string; readonly name?: string } = {}): readonly StoreKey[] {
    const { prefix, namespaced } = this.#resource;
    const scope = namespaced && namespace !== '' ? `${prefix}${namespace}/` : prefix;
    return this.#state.undecodable.filter((key) => key.startsWith(scope) && (name === undefined || key.endsWith(`/${name}`)));
  }

  get(namespace: string, name: string): CachedObject | undefined {
    this.#host.assertLoaded();
    return this.#state.get(`${this.prefix}${this.#resource.namespaced ? `${namespace}/` : ''}${name}`);
  }

  list(options: ListOptions = {}): ListResult {
    this.#host.assertLoaded();
    return this.#state.list(this.revision, options);
  }

  watch(options: CacheWatchOptions): Watcher {
    this.#host.assertLoaded();
    const missed = this.#state.history.since(options.after);
    const watcher = new QueueWatcher({
      ...options,
      onEnd: (ended, failure) => this.#forget(ended, failure),
      wantProgress: (asking) => {
        this.#wantingProgress.add(asking);
        this.#host.wantHandOut(this);
      },
    });
    this.#watchers.add(watcher, options);
    watcher.offer(missed, this.revision);
    return watcher;
  }

  /** A state to be filled aside and then put in place with `replace`; history will be complete after `floor`. */
  emptyState(floor: number): PartitionState {
    const { limits, logger } = this.#host;
    return new PartitionState(this.#resource, { floor, limits, logger });
  }

  /** The initial state: values as they are, and the changes that led to them. */
  fill(values: readonly StoredValue[], changes: readonly ChangeEvent[]): void {
    for (const value of values) this.#state.load(value);
    this.#state.remember(changes, this.#host.monotonic());
  }

  /** Puts `state` in the place of the present one. No events are known between the two: watchers have been ended before. */
  replace(state: PartitionState): void {
    this.#state = state;
  }

  /** The state is no longer what the store holds: it is let go, before another one takes its place in memory. */
  loseTrack(): void {
    this.#state = this.emptyState(0);
    this.failWatchers(
      new StorageError('Compacted', `the watch cache has to load ${this.prefix} anew`, {
        hint: 'List again and watch from the revision of that list.',
      }),
    );
  }

  apply(change: ChangeEvent): void {
    const event = this.#state.apply(change, this.#host.monotonic());
    if (event === undefined || this.#watchers.size === 0) return;
    this.#unsent.push(event);
    this.#host.wantHandOut(this);
  }

  /**
   * Hands what was applied since the last time to the watchers, one after the other, one delivery each. What is applied
   * between two of them is left for the next time.
   */
  *handOut(): Generator<void, void, void> {
    const events = this.#unsent;
    this.#unsent = [];
    const asking = [...this.#wantingProgress];
    this.#wantingProgress.clear();
    const { revision } = this;
    for (const [watcher, concerning] of this.#watchers.concernedBy(events)) {
      watcher.offer(concerning, revision);
      yield;
    }
    for (const watcher of asking) {
      watcher.reportProgress(revision);
      yield;
    }
  }

  failWatchers(failure: StorageError): void {
    this.#unsent = [];
    for (const watcher of this.#watchers.all()) watcher.fail(failure);
  }

  /** Another kind over the same objects, with selectable fields of its own. */
  addFields(fieldsOf: CachedResource['fieldsOf']): void {
    if (this.#fieldsOf.includes(fieldsOf)) return;
    this.#fieldsOf.push(fieldsOf);
    for (const object of this.#state.all()) object.addFields(fieldsOf);
    this.#state.forgetIndexes();
  }

  #forget(watcher: QueueWatcher, failure: StorageError | undefined): void {
    this.#watchers.delete(watcher);
    this.#wantingProgress.delete(watcher);
    if (failure?.code === 'SlowWatcher') this.#slowWatchers += 1;
  }
}
