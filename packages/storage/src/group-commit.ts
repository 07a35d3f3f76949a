import type { WriteItem, WriteOutcome } from './store.ts';

/**
 * Joins concurrent writes into batches: whatever is pending while the last commit was in flight goes into the next one,
 * a key at most once per batch, in order of arrival per key.
 */
export interface Writer {
  write(item: WriteItem): Promise<WriteOutcome>;
}
