import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  anySignal,
  ArcError,
  backoffDelay,
  codeOf,
  messageOf,
  orAborted,
  silentLogger,
  systemClock,
  type Clock,
  type Logger,
} from '@arc/kernel';
import { StorageError } from '../storage-error.ts';
import type { ChangeBatch, ChangeEvent, RangeResult, Store, StoredValue, StoreKey } from '../store.ts';
import type { CachedResource, CacheUsage, ResourceCache, WatchCache } from './contract.ts';
import type { HistoryLimits } from './event-history.ts';
import { HandOut } from './hand-out.ts';
import { Partition, type PartitionHost, type PartitionUsage } from './partition.ts';
import type { PartitionState } from './partition-state.ts';
import { FreshnessQueries, RevisionWaiters } from './revision-waiters.ts';
import { UnclaimedState } from './unclaimed-state.ts';

export interface WatchCacheOptions {
  /** Resources known already; their objects are decoded while loading, page by page, and not in one go by `resource()`. */
  readonly resources?: readonly CachedResource[];
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Events kept per resource however old they are; default 4096. As many are read back from the store's log at the start. */
  readonly historyEvents?: number;
  /** Events younger than this are kept beyond `historyEvents`, milliseconds; default 5 minutes. */
  readonly historyMs?: number;
  /** Ends loading, and later the cache. */
  readonly signal?: AbortSignal;
}

/**
 * Begins to load every live value of `store`, and follows its changes from then on. Failures of the store that may pass are
 * retried; any other one while it loads for the first time ends the cache, and `ready` rejects with it. Until it is loaded
 * reads are refused with StorageError `Loading`.
 */
export function startWatchCache(store: Store, options: WatchCacheOptions = {}): WatchCache {
  const cache = new StoreCache(store, options);
  cache.start();
  return cache;
}

/**
 * Resolves with a cache that is loaded.
 *
 * @throws StorageError what made loading impossible
 */
export async function openWatchCache(store: Store, options: WatchCacheOptions = {}): Promise<WatchCache> {
  const cache = startWatchCache(store, options);
  await cache.ready;
  return cache;
}

/** Values read, decoded and put in their places in one turn of the event loop: about 5 ms of 1.5 KB objects. */
const pageSize = 250;
const defaultWaitMs = 3000;
const retryDelays = { initialMs: 50, maxMs: 5000, jitter: 0.5 };

class StoreCache implements WatchCache, PartitionHost {
  readonly limits: HistoryLimits;
  readonly logger: Logger;
  readonly #ready = Promise.withResolvers<void>();
  #loaded = false;
  /** The newest revision the store is known to have. */
  #known = 0;
  /** Since when the cache has not had everything it knows of; undefined: it has. */
  #behindSince: number | undefined;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #partitions: Partition[] = [];
  #unclaimed: UnclaimedState;
  #revision = 0;
  readonly #waiters: RevisionWaiters;
  readonly #freshness: FreshnessQueries;
  readonly #handOut: HandOut;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #following: Promise<void> = Promise.resolve();

  constructor(store: Store, options: WatchCacheOptions) {
    const { resources = [], logger = silentLogger, clock = systemClock, historyEvents = 4096, historyMs = 300_000 } = options;
    this.#store = store;
    this.#clock = clock;
    this.logger = logger;
    this.limits = { events: historyEvents, ms: historyMs };
    this.#unclaimed = new UnclaimedState(this.limits, 0);
    this.#handOut = new HandOut(() => clock.monotonic());
    this.#waiters = new RevisionWaiters(clock);
    this.#signal = anySignal(this.#stop.signal, options.signal);
    this.#freshness = new FreshnessQueries(() => store.currentRevision({ signal: this.#signal }));
    this.#behindSince = clock.monotonic();
    this.#ready.promise.catch(() => {});
    for (const resource of resources) this.resource(resource);
  }

  start(): void {
    this.#following = this.#run();
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  get revision(): number {
    return this.#revision;
  }

  get undecodable(): number {
    return this.#partitions.reduce((sum, partition) => sum + partition.undecodable().length, 0);
  }

  usage(): CacheUsage {
    const all = this.#partitions.map((partition) => partition.usage);
    const sumOf = (part: keyof PartitionUsage): number => all.reduce((sum, usage) => sum + usage[part], 0);
    return {
      bytes: {
        objects: sumOf('objectBytes'),
        history: sumOf('historyBytes'),
      },
      historyEvents: sumOf('historyEvents'),
      watchers: sumOf('watchers'),
      slowWatchers: sumOf('slowWatchers'),
      behindMs: this.#behindSince === undefined ? 0 : Math.max(0, this.monotonic() - this.#behindSince),
    };
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  resource(resource: CachedResource): ResourceCache {
    const { prefix } = resource;
    const known = this.#partitions.find((partition) => partition.prefix === prefix);
    if (known !== undefined) {
      known.addFields(resource.fieldsOf);
      return known;
    }
    const overlapping = this.#partitions.find((other) => other.prefix.startsWith(prefix) || prefix.startsWith(other.prefix));
    if (overlapping !== undefined) {
      throw new ArcError('OverlappingPrefix', `the key prefix ${prefix} overlaps with ${overlapping.prefix}`, {
        hint: 'Give each resource a prefix of its own that ends in a slash.',
      });
    }
    return this.#claim(resource);
  }

  async waitUntilFresh(signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted();
    this.assertLoaded();
    const revision = await this.#freshness.query(signal);
    this.assertLoaded();
    if (revision <= this.#revision) {
      this.#behindSince = undefined;
      return revision;
    }
    this.#known = Math.max(this.#known, revision);
    this.#behindSince ??= this.monotonic();
    await this.#wait(revision, { signal });
    return revision;
  }

  async waitFor(revision: number, options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}): Promise<void> {
    this.assertLoaded();
    if (revision <= this.#revision) return;
    await this.#wait(revision, { timeoutMs: options.timeoutMs ?? defaultWaitMs, signal: options.signal });
  }

  assertLoaded(): void {
    this.#assertOpen();
    if (this.#loaded) return;
    throw loadingError();
  }

  wantHandOut(partition: Partition): void {
    this.#handOut.want(partition);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  #claim(resource: CachedResource): Partition {
    const partition = new Partition(this, resource, this.#unclaimed.floor);
    const { values, changes } = this.#unclaimed.take(resource.prefix);
    partition.fill(values, changes);
    this.#partitions.push(partition);
    return partition;
  }

  async #run(): Promise<void> {
    try {
      await this.#loadFirst();
    } catch (error) {
      this.#ready.reject(this.#signal.aborted ? closedError() : error);
      this.#end();
      return;
    }
    this.#ready.resolve();
    await this.#follow();
  }

  async #loadFirst(): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        await this.#load();
        return;
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!(error instanceof ArcError) || !error.retryable) throw error;
        this.logger.error('the watch cache could not be loaded', { code: error.code, reason: error.message, failures });
        await this.#pause(backoffDelay(failures, retryDelays));
      }
    }
  }

  async #load(): Promise<void> {
    while (!(await this.#loadSnapshot()));
  }

  /**
   * Fills states aside and puts them in place. False when that has to be done again: a resource was claimed meanwhile and its
   * values went by unseen, or compaction overtook the snapshot.
   */
  async #loadSnapshot(): Promise<boolean> {
    try {
      return await this.#readSnapshot();
    } catch (error) {
      if (codeOf(error) !== 'Compacted') throw error;
      return false;
    }
  }

  async #readSnapshot(): Promise<boolean> {
    const revision = await this.#store.currentRevision({ signal: this.#signal });
    const floor = Math.max(await orAborted(this.#store.compactedRevision(), this.#signal), revision - this.limits.events, 0);
    const unclaimed = new UnclaimedState(this.limits, floor);
    const states = new Map(this.#partitions.map((partition) => [partition, partition.emptyState(floor)]));
    const stateOf = (partition: Partition | undefined): PartitionState | UnclaimedState =>
      (partition === undefined ? undefined : states.get(partition)) ?? unclaimed;

    for await (const values of this.#pagesAt(revision)) {
      for (const value of values) stateOf(this.#partitionOf(value.key)).load(value);
    }
    const changes = await this.#changesBetween(floor, revision);
    for (const [partition, own] of Map.groupBy(changes, ({ key }) => this.#partitionOf(key))) {
      for (let from = 0; from < own.length; from += pageSize) {
        stateOf(partition).remember(own.slice(from, from + pageSize), this.monotonic());
        await nextTurn();
      }
    }

    if (this.#partitions.length !== states.size) return false;
    this.#revision = revision;
    this.#unclaimed = unclaimed;
    for (const [partition, state] of states) partition.replace(state);
    this.#loaded = true;
    this.#known = revision;
    this.#behindSince = undefined;
    return true;
  }

  /** All live values at `revision`, leaving the event loop to others between pages. */
  async *#pagesAt(revision: number): AsyncGenerator<readonly StoredValue[], void, void> {
    const page = { prefix: '', limit: pageSize, revision, signal: this.#signal };
    for (let after: StoreKey | undefined = ''; after !== undefined;) {
      const { items, more }: RangeResult = await orAborted(this.#store.range({ ...page, after }), this.#signal);
      yield items;
      after = more ? items.at(-1)?.key : undefined;
      await nextTurn();
    }
  }

  async #changesBetween(after: number, revision: number): Promise<readonly ChangeEvent[]> {
    const changes: ChangeEvent[] = [];
    if (after >= revision) return changes;
    for await (const batch of this.#store.changes(after, this.#signal)) {
      changes.push(...batch.events.filter((event) => event.revision <= revision));
      if (batch.revision >= revision) break;
    }
    this.#signal.throwIfAborted();
    return changes;
  }

  async #follow(): Promise<void> {
    let failures = 0;
    while (!this.#signal.aborted) {
      try {
        if (!this.#loaded) await this.#load();
        // After a failure there may be nothing to catch up with, and then no batch says so.
        else if (failures > 0) void this.waitUntilFresh().catch(() => {});
        for await (const batch of this.#store.changes(this.#revision, this.#signal)) {
          this.#apply(batch);
          failures = 0;
        }
      } catch (error) {
        const code = codeOf(error);
        if (this.#signal.aborted || code === 'Closed') break;
        this.#behindSince ??= this.monotonic();
        if (this.#loaded && (code === 'Compacted' || code === 'FutureRevision')) this.#loseTrack();
        this.logger.error('the change feed of the store failed', { code, reason: messageOf(error), failures });
        await this.#pause(backoffDelay(failures++, retryDelays));
      }
    }
    this.#end();
  }

  #apply(batch: ChangeBatch): void {
    for (const change of batch.events) (this.#partitionOf(change.key) ?? this.#unclaimed).apply(change);
    this.#revision = batch.revision;
    if (batch.revision >= this.#known) this.#behindSince = undefined;
    this.#waiters.reached(batch.revision);
  }

  /** Changes between here and the store's state are not to be had: nobody may take what is held for that any more. */
  #loseTrack(): void {
    this.#loaded = false;
    for (const partition of this.#partitions) partition.loseTrack();
    this.#waiters.fail(loadingError());
  }

  async #pause(ms: number): Promise<void> {
    try {
      await this.#clock.sleep(ms, this.#signal);
    } catch {
      // Aborted: the caller looks at the signal.
    }
  }

  #end(): void {
    this.#stop.abort();
    const closed = closedError();
    this.#ready.reject(closed);
    for (const partition of this.#partitions) partition.failWatchers(closed);
    this.#waiters.fail(closed);
  }

  #partitionOf(key: StoreKey): Partition | undefined {
    return this.#partitions.find((partition) => key.startsWith(partition.prefix));
  }

  #wait(revision: number, options: { readonly timeoutMs?: number; readonly signal: AbortSignal | undefined }): Promise<void> {
    this.#assertOpen();
    return this.#waiters.wait(revision, options);
  }

  #assertOpen(): void {
    if (this.#signal.aborted) throw closedError();
  }
}

function loadingError(): StorageError {
  return new StorageError('Loading', 'the watch cache is being loaded from the store', { hint: 'Try again in a moment.' });
}

function closedError(): StorageError {
  return new StorageError('Closed', 'the watch cache has been closed');
}
