import { StorageError } from './storage-error.ts';
import type { ChangeBatch } from './store.ts';

/** Wakes whoever waits for a change; a notification while nobody waits is not remembered. */
export class ChangeNotifier {
  readonly #waiting = new Set<() => void>();

  notify(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Resolves at the next `notify`, or when `signal` aborts. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** What an adapter offers to have its `changes` written for it. */
export interface ChangeSource {
  /** The newest committed revision. Throws StorageError `Closed` once the store is. */
  currentRevision(): number;
  /** Changes after `after`, in order, at least one while `after` is below the current revision. Throws `Compacted`. */
  read(after: number): ChangeBatch | Promise<ChangeBatch>;
  readonly changed: ChangeNotifier;
}

/**
 * The `changes` of a store: reads forward from `after` at the pace of the consumer and waits for more at the end, until
 * `signal` aborts. Nothing is queued for a slow consumer; it reads the log.
 *
 * @throws StorageError `FutureRevision`, and what the source throws
 */
export async function* followChanges(source: ChangeSource, after: number, signal: AbortSignal): AsyncGenerator<ChangeBatch, void, void> {
  if (signal.aborted) return;
  assertNotFuture(after, source.currentRevision());
  let cursor = after;
  for (;;) {
    if (signal.aborted) return;
    if (source.currentRevision() <= cursor) {
      await source.changed.next(signal);
      continue;
    }
    let batch: ChangeBatch;
    try {
      batch = await source.read(cursor);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    if (signal.aborted) return;
    cursor = batch.revision;
    yield batch;
  }
}

/** @throws StorageError `FutureRevision` */
export function assertNotFuture(revision: number, current: number): void {
  if (revision <= current) return;
  throw new StorageError('FutureRevision', `revision ${revision} lies in the future; the newest is ${current}`, {
    hint: 'List again; the store may have been restored from a backup.',
  });
}

/** @throws StorageError `Compacted` when history after `revision` is no longer held */
export function assertNotCompacted(revision: number, compacted: number): void {
  if (revision >= compacted) return;
  throw new StorageError('Compacted', `revision ${revision} is no longer held; history begins at ${compacted}`, {
    hint: 'List again and watch from the revision of that list.',
  });
}
