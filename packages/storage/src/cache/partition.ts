import type { Logger } from '@arc/kernel';
import { StorageError } from '../storage-error.ts';
import type { ChangeEvent, StoredValue } from '../store.ts';
import type { CacheEvent } from './cache-event.ts';
import type { CachedObject, CachedResource, CacheWatchOptions, ListOptions, ListResult, ResourceCache, Watcher } from './contract.ts';
import type { HistoryLimits } from './event-history.ts';
import { PartitionState } from './partition-state.ts';
import { QueueWatcher } from './queue-watcher.ts';

/** What a partition needs of the cache it is part of. */
export interface PartitionHost {
  /** The revision all partitions have reached. */
  readonly revision: number;
  readonly limits: HistoryLimits;
  readonly logger: Logger;
  monotonic(): number;
  /** Asks for `flush` at the end of this turn of the event loop. */
  wantFlush(partition: Partition): void;
}

/** One resource of the cache: its state and its watchers. */
export class Partition implements ResourceCache {
  readonly #host: PartitionHost;
  readonly #resource: CachedResource;
  readonly #fieldsOf: CachedResource['fieldsOf'][];
  #state: PartitionState;
  readonly #watchers = new Set<QueueWatcher>();
  #unsent: CacheEvent[] = [];

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

  /** Stored values that are left out because they do not decode. */
  get undecodable(): number {
    return this.#state.undecodable;
  }

  get(namespace: string, name: string): CachedObject | undefined {
    return this.#state.get(`${this.prefix}${this.#resource.namespaced ? `${namespace}/` : ''}${name}`);
  }

  list(options: ListOptions = {}): ListResult {
    return this.#state.list(this.revision, options);
  }

  watch(options: CacheWatchOptions): Watcher {
    const missed = this.#state.history.since(options.after);
    const watcher = new QueueWatcher({
      ...options,
      onEnd: (ended) => void this.#watchers.delete(ended),
      wantFlush: () => this.#host.wantFlush(this),
    });
    this.#watchers.add(watcher);
    watcher.offer(missed, this.revision);
    return watcher;
  }

  /** A state to be filled aside and then put in place with `replace`; history will be complete after `floor`. */
  emptyState(floor: number): PartitionState {
    return new PartitionState(this.#resource, { floor, limits: this.#host.limits, logger: this.#host.logger });
  }

  /** The initial state: values as they are, and the changes that led to them. */
  fill(values: readonly StoredValue[], changes: readonly ChangeEvent[]): void {
    for (const value of values) this.#state.load(value);
    this.#state.remember(changes, this.#host.monotonic());
  }

  /** Puts `state` in the place of the present one. No events are known between the two, so all watchers end. */
  replace(state: PartitionState): void {
    this.#state = state;
    this.failWatchers(
      new StorageError('Compacted', `the watch cache had to load ${this.prefix} anew`, {
        hint: 'List again and watch from the revision of that list.',
      }),
    );
  }

  apply(change: ChangeEvent): void {
    const event = this.#state.apply(change, this.#host.monotonic());
    if (event === undefined || this.#watchers.size === 0) return;
    this.#unsent.push(event);
    this.#host.wantFlush(this);
  }

  /** Hands what was applied since the last flush to the watchers, one delivery each. */
  flush(): void {
    const events = this.#unsent;
    this.#unsent = [];
    for (const watcher of [...this.#watchers]) watcher.offer(events, this.revision);
  }

  failWatchers(failure: StorageError): void {
    this.#unsent = [];
    for (const watcher of [...this.#watchers]) watcher.fail(failure);
  }

  /** Another kind over the same objects, with selectable fields of its own. */
  addFields(fieldsOf: CachedResource['fieldsOf']): void {
    if (this.#fieldsOf.includes(fieldsOf)) return;
    this.#fieldsOf.push(fieldsOf);
    for (const object of this.#state.all()) object.addFields(fieldsOf);
  }
}
