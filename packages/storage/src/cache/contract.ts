import type { Run } from '../segmented-map.ts';
import type { StoreKey } from '../store.ts';

/** What the cache must know of a resource to hold it. */
export interface CachedResource {
  /** All keys of the resource start with this, for example `/registry/arc.opendefense.cloud/orders/`. */
  readonly prefix: string;
  readonly namespaced: boolean;
  /**
   * Values of the selectable fields (`spec.type`) of a parsed object, besides `metadata.name` and `metadata.namespace`, which
   * every resource has; called once per revision.
   */
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
  readonly labels: Readonly<Record<string, string>>;
  /** The uids in `metadata.ownerReferences`. */
  readonly owners: readonly string[];
  /** The value of a selectable field, `metadata.name` or `metadata.namespace`; empty when the object has none. */
  field(name: string): string;
}

/** All watchers that see an event in the same way are given the same one, so that encodings can be kept with it. */
export interface CachedEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** For DELETED: the last content, carrying the revision of the deletion. */
  readonly object: CachedObject;
  /** The content before; undefined for ADDED. Selectors decide transitions with it. */
  readonly previous: CachedObject | undefined;
}

export type ObjectFilter = (object: CachedObject) => boolean;

/**
 * One of `values` is what an object has under a property: a label, a field (an absent one is the empty text), or the uid of
 * one of its owners. What can be said this way is found by an index, not by asking every object.
 */
export type Requirement =
  | { readonly by: 'label' | 'field'; readonly name: string; readonly values: readonly string[] }
  | { readonly by: 'owner'; readonly values: readonly string[] };

/** The objects that lie in the namespace, meet every requirement and pass the filter. */
export interface Selection {
  /** Undefined or empty: all namespaces. */
  readonly namespace?: string;
  readonly requirements?: readonly Requirement[];
  /** What requirements cannot say. */
  readonly filter?: ObjectFilter;
}

export interface ListOptions extends Selection {
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
  /** Exact number of objects beyond this page; undefined when a selection makes it unknown or nothing was cut. */
  readonly remaining: number | undefined;
}

/**
 * What a watcher receives, in revision order: either a delivery of coalesced events (already turned by the selection:
 * entering = ADDED, leaving = DELETED with the previous content under the new revision) or nothing but progress.
 * `revision` is safe to resume from once the delivery has been sent.
 */
export interface Delivery {
  readonly revision: number;
  readonly events: readonly CachedEvent[];
}

/**
 * Read by one reader, either by iterating or with `take`. The iteration ends when the watcher is disposed, and throws
 * StorageError `SlowWatcher` (it did not keep up), `Compacted` (the cache had to start over; list again) or `Closed`.
 */
export interface Watcher extends AsyncIterable<Delivery>, Disposable {
  /** Everything that waits, as one delivery; undefined when nothing does. @throws StorageError as the iteration */
  take(): Delivery | undefined;
  /** Nothing more will come. */
  readonly ended: boolean;
  /**
   * Has `ready` called each time something has come to wait, and when the watcher has ended. It is called in the middle of
   * handing out events to all watchers: what it does is theirs to wait for, and counts as the time that takes.
   */
  onReady(ready: () => void): void;
  /** Asks for an empty delivery carrying the newest applied revision, for a bookmark. */
  requestProgress(): void;
}

export interface CacheWatchOptions extends Selection {
  /** Events with a higher revision only. Throws StorageError `Compacted` when history does not reach back that far. */
  readonly after: number;
  /**
   * Events a watcher may have waiting when more come, before it is closed: its iteration then throws StorageError
   * `SlowWatcher`, and it can resume from its last revision. Default 10,000.
   */
  readonly maxQueued?: number;
}

/** Reads of one resource, served from memory. All of them throw StorageError `Loading` while the cache is not loaded. */
export interface ResourceCache {
  /** The revision up to which all changes of the store have been applied. */
  readonly revision: number;
  /** How many objects there are; 0 while the cache is not loaded. */
  readonly size: number;
  /** @throws StorageError `Undecodable` when a value is stored there that is no object: it exists, and nobody can read it. */
  get(namespace: string, name: string): CachedObject | undefined;
  list(options?: ListOptions): ListResult;
  /** The keys, in order, of stored values that lists and watches leave out because they are no objects. */
  undecodable(scope?: { readonly namespace?: string; readonly name?: string }): readonly StoreKey[];
  watch(options: CacheWatchOptions): Watcher;
}

/** What a cache holds at the moment. */
export interface CacheUsage {
  /** Bytes held, by what for; without the bookkeeping around them. */
  readonly bytes: {
    readonly objects: number;
    /** Superseded and deleted content that old revisions are served from. */
    readonly history: number;
  };
  readonly historyEvents: number;
  readonly watchers: number;
  /** Watchers closed since the start because they did not keep up. */
  readonly slowWatchers: number;
  /** How long the cache has been known to lack something the store has, or has had no change feed; 0 when it has all it knows of. */
  readonly behindMs: number;
}

/** The watch cache over a whole store: one change feed, one revision, one cache per resource. */
export interface WatchCache extends AsyncDisposable {
  resource(resource: CachedResource): ResourceCache;
  /** Resolves when the cache has been loaded for the first time; rejects when it never will be. */
  readonly ready: Promise<void>;
  /** False until then, and again while the cache is loaded anew because the change feed has lost its place. */
  readonly loaded: boolean;
  /** @throws StorageError `Loading` or `Closed` when reads are refused. */
  assertLoaded(): void;
  readonly revision: number;
  /** How many stored values are left out of lists and watches because they are not JSON objects with metadata; each is logged. */
  readonly undecodable: number;
  usage(): CacheUsage;
  /** Resolves when the state at the time of the call (asked from the store) has been applied; returns that revision. */
  waitUntilFresh(signal?: AbortSignal): Promise<number>;
  /** Resolves when `revision` has been applied. Rejects with StorageError `FutureRevision` after `timeoutMs`. */
  waitFor(revision: number, options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<void>;
}
