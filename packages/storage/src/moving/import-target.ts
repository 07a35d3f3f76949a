import type { StoredValue } from '../store.ts';

/** What is being filled in; kept in the target until it is finished. */
export interface ImportPlan {
  /** SHA-256 in hex over what is copied: another source, or one that has changed, has another one. */
  readonly fingerprint: string;
  readonly objects: number;
  /** The newest revision of the source. */
  readonly revision: number;
  /** The command line that goes on with it, without passwords. */
  readonly command: string;
}

export interface ImportState {
  /** How many objects there are; those written so far, when an import is unfinished. */
  readonly objects: number;
  readonly unfinished: ImportPlan | undefined;
}

export interface ImportResult {
  readonly revision: number;
  readonly compactedRevision: number;
}

/**
 * The port through which a store is filled with objects that another one has made, while nobody else uses it. It is a
 * place, not an open store: between `begin` and `finish` no store can be opened there.
 *
 * What was written before a crash is always the beginning of what was to be written, so that `state` tells where to go on.
 */
export interface ImportTarget extends AsyncDisposable {
  /**
   * True: objects keep their revisions, and are written in the order of their keys. False: they are numbered anew as they
   * are written, which is to be done in the order of their revisions.
   */
  readonly keepsRevisions: boolean;
  state(): Promise<ImportState>;
  /** Removes all objects there are, then records the plan. */
  begin(plan: ImportPlan): Promise<void>;
  /** Adds objects; durable when it resolves. */
  write(values: readonly StoredValue[]): Promise<void>;
  /** What is there now, in the order of keys. */
  objects(signal: AbortSignal): AsyncIterable<readonly StoredValue[]>;
  /**
   * Makes it a store again, whose newest revision is at least `revision` and above every revision the place has had before,
   * and which remembers no history: whoever resumes from an earlier revision is told that it has been compacted. A place
   * whose revisions only writes raise may stay below `revision`, by some thousands: that one is then of the future.
   */
  finish(revision: number): Promise<ImportResult>;
}
