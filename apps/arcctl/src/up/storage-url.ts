import { UsageError } from '@arc/cli-kit';
import { createMemoryStore } from '@arc/storage';
import type { Store } from '@arc/storage';
import { openSqliteStore } from '@arc/storage-sqlite';

export type StorageChoice = { readonly kind: 'memory' } | { readonly kind: 'sqlite'; readonly file: string };

/**
 * Parses `sqlite:FILE` or `memory:`.
 *
 * @throws UsageError
 */
export function parseStorageUrl(url: string): StorageChoice {
  if (url === 'memory:') return { kind: 'memory' };
  const file = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(url)?.[1];
  if (file !== undefined) return { kind: 'sqlite', file };
  throw new UsageError(`unknown storage ${JSON.stringify(url)}`, { hint: 'Write sqlite:FILE or memory:' });
}

/** @throws StorageError `Locked`, `BadDatabase`, `Unavailable` */
export async function openStore(choice: StorageChoice, signal: AbortSignal): Promise<Store> {
  return choice.kind === 'memory' ? createMemoryStore() : await openSqliteStore({ file: choice.file, signal });
}
