import type { Run } from '../segmented-map.ts';
import type { StoreKey } from '../store.ts';

/** What the cache must know of a resource to hold it. */
export interface CachedResource {
  /** All keys of the resource start with this, for example `/registry/arc.opendefense.cloud/orders/`. */
  readonly prefix: string;
  readonly namespaced: boolean;
  /** Values of the selectable fields (`spec.type`) of a parsed object; called once per revision. */
  readonly fieldsOf: (object: Readonly<Record<string, unknown>>) => Readonly<Record<string, string>>;
}

/** One object at one revision, as bytes. Never changed after it was made; many readers share it. */
export interface CachedObject {
  readonly key: StoreKey;
  /** Empty for cluster-scoped resources. */
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  /** The whole JSON object with `metadata.resourceVersion` in place. */
  readonly bytes: Uint8Array;
  /** The JSON value of `metadata`, a view of `bytes`. */
  readonly metadata: Uint8Array;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
}

export interface CachedEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** For DELETED: the last content, carrying the revision of the deletion. */
  readonly object: CachedObject;
  /** The content before; undefined for ADDED. Selectors decide transitions with it. */
  readonly previous: CachedObject | undefined;
  /** Encodings of this event by representation, made by the first watcher that needs one and shared by all. */
  readonly encodings: Map<string, Uint8Array>;
}

export type ObjectFilter = (object: CachedObject) => boolean;

export interface ListOptions {
  /** Undefined: all namespaces. */
  readonly namespace?: string;
  readonly filter?: ObjectFilter;
  readonly limit?: number;
  /** Only keys greater than this one. */
  readonly after?: StoreKey;
  /** The state at this past revision; throws StorageError `Compacted` when it is no longer held. */
  readonly at?: number;
}

/** Objects that follow one another in a list. */
export interface ObjectRun extends Run<CachedObject> {
  /**
   * True: `segment` is one of the cache's own, the same array in every result until one of its objects changes, so that
   * what is made from it may be kept with it. False: the objects were gathered for this result alone.
   */
  readonly kept: boolean;
}

export interface ListResult {
  readonly revision: number;
  /** The objects in key order; no run is empty. */
  readonly runs: readonly ObjectRun[];
  /** How many objects the runs hold. */
  readonly size: number;
  /** The objects one by one; made from `runs` when first asked for. */
  readonly objects: readonly CachedObject[];
  /** The key to continue after, when `limit` cut the list. */
  readonly next: StoreKey | undefined;
  /** Exact number of objects beyond this page; undefined when a filter makes it unknown or nothing was cut. */
  readonly remaining: number | undefined;
}

/**
 * What a watcher receives, in revision order: either a delivery of coalesced events (already turned by the filter:
 * entering = ADDED, leaving = DELETED with the previous content under the new revision) or nothing but progress.
 * `revision` is safe to resume from once the delivery has been sent.
 */
export interface Delivery {
  readonly revision: number;
  readonly events: readonly CachedEvent[];
}

/**
 * Read by one reader. The iteration ends when the watcher is disposed, and throws StorageError `SlowWatcher` (it did not
 * keep up), `Compacted` (the cache had to start over; list again) or `Closed`.
 */
export interface Watcher extends AsyncIterable<Delivery>, Disposable {
  /** Asks for an empty delivery carrying the newest applied revision, for a bookmark. */
  requestProgress(): void;
}

export interface CacheWatchOptions {
  readonly namespace?: string;
  readonly filter?: ObjectFilter;
  /** Events with a higher revision only. Throws StorageError `Compacted` when history does not reach back that far. */
  readonly after: number;
  /**
   * Deliveries a watcher may have waiting before it is closed: its iteration then throws StorageError `SlowWatcher`, and it
   * can resume from its last revision. Default 1000.
   */
  readonly maxQueued?: number;
}

/** Reads of one resource, served from memory. */
export interface ResourceCache {
  /** The revision up to which all changes of the store have been applied. */
  readonly revision: number;
  get(namespace: string, name: string): CachedObject | undefined;
  list(options?: ListOptions): ListResult;
  watch(options: CacheWatchOptions): Watcher;
}

/** The watch cache over a whole store: one change feed, one revision, one cache per resource. */
export interface WatchCache extends AsyncDisposable {
  resource(resource: CachedResource): ResourceCache;
  readonly revision: number;
  /** How many stored values are left out of every read because they are not JSON objects with metadata; each is logged. */
  readonly undecodable: number;
  /** Resolves when the state at the time of the call (asked from the store) has been applied; returns that revision. */
  waitUntilFresh(signal?: AbortSignal): Promise<number>;
  /** Resolves when `revision` has been applied. Rejects with StorageError `FutureRevision` after `timeoutMs`. */
  waitFor(revision: number, options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<void>;
}
