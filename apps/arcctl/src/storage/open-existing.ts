import type { Store } from '@arc/storage';
import { inspectSqlite } from '@arc/storage-sqlite';
import { openStore } from '@arc/composition/storage';
import type { ChosenStorage } from './chosen-storage.ts';

/**
 * Opens a storage as a server does, but makes no file where there is none.
 *
 * @throws StorageError `BadDatabase`, `Unavailable`, `Locked`; ArcError `InvalidStorageUrl`
 */
export async function openExisting({ choice, password }: ChosenStorage, signal: AbortSignal): Promise<Store> {
  if (choice.kind === 'sqlite') inspectSqlite(choice.file);
  return await openStore(choice, { signal, password });
}
