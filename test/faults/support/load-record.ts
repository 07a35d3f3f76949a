export type Verb = 'create' | 'update' | 'patch' | 'delete';

/** What became of a write, as far as its client knows. */
export type WriteResult =
  /** A deletion tells the uid of what it deleted, everything else its revision. */
  | { readonly kind: 'acknowledged'; readonly revision?: number; readonly uid?: string }
  /** Answered with an error that says it did not happen. */
  | { readonly kind: 'refused'; readonly code: number }
  /** No answer, or one that says that it may or may not have happened. */
  | { readonly kind: 'unknown' };

export interface WriteRecord {
  /** Written into the object, so that history tells whose change it is. */
  readonly id: string;
  readonly verb: Verb;
  readonly name: string;
  /** The resourceVersion it was sent with. */
  readonly expected?: number;
  readonly result: WriteResult;
}

/** A GET or LIST that asked for the newest state, or a write that was told that there is no such object. */
export interface ReadRecord {
  /** How many writes had been acknowledged when it was sent. */
  readonly acknowledgedBefore: number;
  /** Undefined: the whole namespace. */
  readonly name?: string;
  /** Of a list. */
  readonly revision?: number;
  /** The revision of every object it returned, by name; empty for 404. */
  readonly found: ReadonlyMap<string, number>;
}

export interface HistoryEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly name: string;
  readonly revision: number;
  readonly uid: string;
  /** The write that made this content; of a deletion, the last one before. */
  readonly writer: string;
}

/** What one watch saw after a list, however often it was resumed, until it was told that it has expired. */
export interface FollowRecord {
  readonly from: number;
  readonly events: readonly HistoryEvent[];
}

/** Everything that clients of one namespace did and saw. */
export interface LoadRecord {
  /** The namespace was empty at this revision. */
  readonly from: number;
  readonly writes: readonly WriteRecord[];
  /** Those that were acknowledged, in the order in which the answers came. */
  readonly acknowledged: readonly WriteRecord[];
  readonly reads: readonly ReadRecord[];
  readonly follows: readonly FollowRecord[];
  /** Read in the end, from the beginning to the end. */
  readonly history: readonly HistoryEvent[];
}
