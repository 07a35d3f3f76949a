/** A key as stored: `/registry/<group>/<resource>/<namespace>/<name>`; ordered bytewise as a whole string, never by locale. */
export type StoreKey = string;

export interface StoredValue {
  readonly key: StoreKey;
  /** The revision of the write that produced this value. */
  readonly revision: number;
  /** The object's JSON without `metadata.resourceVersion`. */
  readonly value: Uint8Array;
}

/** One conditional write. */
export interface WriteItem {
  readonly key: StoreKey;
  /** `absent`: only if no value exists (a deletion then never commits). A number: only if the current value has exactly this revision. */
  readonly expect: 'absent' | number;
  /** The new value, or null to delete. Must not be changed afterwards: stores keep a reference while they deliver it. */
  readonly value: Uint8Array | null;
}

export type WriteOutcome =
  | {
      readonly committed: true;
      /** For a delete, the revision of the deletion. */
      readonly revision: number;
      readonly previous: StoredValue | undefined;
    }
  | {
      readonly committed: false;
      /** The value that made the comparison fail; undefined when there is none. */
      readonly current: StoredValue | undefined;
    };

export interface ChangeEvent {
  readonly key: StoreKey;
  readonly revision: number;
  /** null for a deletion. */
  readonly value: Uint8Array | null;
  readonly previous: StoredValue | undefined;
}

/** All changes up to and including `revision` that were not delivered before; may be empty (progress). */
export interface ChangeBatch {
  readonly revision: number;
  readonly events: readonly ChangeEvent[];
}

export interface RangeOptions {
  readonly prefix: string;
  /** Only keys greater than this one. */
  readonly after?: StoreKey;
  readonly limit?: number;
  /**
   * A past revision to read at; throws StorageError `Compacted` below the compacted revision, `FutureRevision` above the
   * newest. Default: the newest.
   */
  readonly revision?: number;
  readonly signal?: AbortSignal;
}

export interface RangeResult {
  /** The revision this result is a snapshot of. */
  readonly revision: number;
  readonly items: readonly StoredValue[];
  /** True when `limit` cut the result. */
  readonly more: boolean;
}

/**
 * The storage port. One store holds all resources of a server under one sequence of revisions:
 *
 * - revisions are unique and strictly increasing in commit order, and become visible in that order;
 * - a committed write is durable when `commit` resolves;
 * - `changes` from revision R delivers every later change exactly once and in order, or fails with `Compacted`.
 *
 * Failures are StorageErrors, classified by the adapter: `Unavailable` is retryable, `OutcomeUnknown` means the write may
 * or may not have happened (never guess).
 */
export interface Store extends AsyncDisposable {
  /**
   * True for a store that commits each item on its own anyway: the items of a batch are then applied in any order, a batch
   * that fails may have been written in part, and writes had better be sent at once than gathered.
   */
  readonly independentWrites?: boolean;
  /**
   * Applies the items of a batch in order, each on its own: one that fails its comparison does not stop the others, and
   * later items see the effects of earlier ones. A key appears at most once. Only committed items take a revision.
   */
  commit(batch: readonly WriteItem[]): Promise<readonly WriteOutcome[]>;
  get(key: StoreKey, options?: { readonly signal?: AbortSignal }): Promise<StoredValue | undefined>;
  range(options: RangeOptions): Promise<RangeResult>;
  /** The newest committed revision; linearizable. 0 for an empty, never written store whose revisions are gap-free. */
  currentRevision(options?: { readonly signal?: AbortSignal }): Promise<number>;
  /**
   * Every change with a revision above `after`, live until the signal aborts (then it ends without an error).
   *
   * @throws StorageError `Compacted`, `FutureRevision`, `Closed` when the store is
   */
  changes(after: number, signal: AbortSignal): AsyncIterable<ChangeBatch>;
  /** Forgets history at and below `revision`. The newest value of every key stays, and so does the newest revision. */
  compact(revision: number): Promise<void>;
  /** The revision up to which history has been forgotten; 0 when nothing has been. */
  compactedRevision(): Promise<number>;
}
