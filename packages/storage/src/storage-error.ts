import { ArcError, type ArcErrorOptions } from '@arc/kernel';

export type StorageErrorCode =
  /** The asked revision or change history is no longer held. */
  | 'Compacted'
  /** The asked revision lies in the future. */
  | 'FutureRevision'
  /** The database cannot be reached or refuses work; retryable. */
  | 'Unavailable'
  /** The connection was lost while a commit was in flight. */
  | 'OutcomeUnknown'
  /** Another process holds the database. */
  | 'Locked'
  /** The file or schema is not ours, damaged, or of another version. */
  | 'BadDatabase'
  /** The database has no room left; nothing of the batch was written. */
  | 'Full'
  /** A watcher did not take its deliveries in time; it can resume from its last revision. */
  | 'SlowWatcher'
  /** The store was closed. */
  | 'Closed';

export class StorageError extends ArcError {
  declare readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options: Omit<ArcErrorOptions, 'retryable'> = {}) {
    super(code, message, { ...options, retryable: code === 'Unavailable' });
  }
}
