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
  /** The watch cache does not hold the state of the store yet, or not any more; retryable. */
  | 'Loading'
  /** What is stored under a key is not a JSON object with metadata. */
  | 'Undecodable'
  /** Another process holds the database. */
  | 'Locked'
  /** The file or schema is not ours, damaged, or of another version. */
  | 'BadDatabase'
  /** The database has no room left; nothing of the batch was written. */
  | 'Full'
  /** The database takes no value of that size; nothing was written, and repeating it does not help. */
  | 'TooLarge'
  /** A watcher did not take its deliveries in time; it can resume from its last revision. */
  | 'SlowWatcher'
  /** The store was closed. */
  | 'Closed';

export class StorageError extends ArcError {
  declare readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options: Omit<ArcErrorOptions, 'retryable'> = {}) {
    super(code, message, { ...options, retryable: code === 'Unavailable' || code === 'Loading' });
  }
}

/** Says that something is stored under a key which nobody can read. */
export function undecodable(key: string, revision: number, reason: string): StorageError {
  return new StorageError('Undecodable', `what is stored under ${key} (revision ${revision}) cannot be read: ${reason}`, {
    hint: 'List such values with "arcctl storage doctor", which can remove them.',
  });
}
