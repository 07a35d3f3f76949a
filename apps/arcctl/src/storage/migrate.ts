import type { Invocation } from '../command.ts';
import { chosenStorage } from './chosen-storage.ts';

/**
 * `arcctl storage migrate`: may run any number of times, also by several processes at once.
 *
 * @throws UsageError; StorageError `BadDatabase`, `Unavailable`
 */
export async function migrateStorage(invocation: Invocation): Promise<void> {
  const { stdout } = invocation.streams;
  const { choice, password } = chosenStorage(invocation);
  if (choice.kind !== 'postgres') {
    stdout.write('Nothing to migrate: an SQLite file is brought up to date when it is opened, and etcd has no schema.\n');
    return;
  }
  const { migratePostgres } = await import('@arc/storage-postgres');
  const { to, applied } = await migratePostgres({ url: choice.url, ...(password !== undefined && { password }) });
  stdout.write(
    applied.length === 0
      ? `The schema has version ${to} already.\n`
      : `The schema has version ${to} now; applied: ${applied.join(', ')}.\n`,
  );
}
