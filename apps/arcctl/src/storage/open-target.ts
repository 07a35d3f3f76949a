import { UsageError } from '@arc/cli-kit';
import { ArcError } from '@arc/kernel';
import type { ImportTarget } from '@arc/storage';
import { openSqliteImport } from '@arc/storage-sqlite';
import type { StorageChoice } from '@arc/composition/storage';
import type { ChosenStorage } from './chosen-storage.ts';
import { etcdOptions } from '@arc/composition/storage';
import { storageName } from './storage-name.ts';

/** A pooler keeps sessions that nobody uses. */
function behindPooler(url: string): boolean {
  return new URL(url).searchParams.get('pgbouncer') === 'true';
}

function inUse(choice: StorageChoice, sessions: number): ArcError {
  return new ArcError('Locked', `${storageName(choice)} is in use: ${sessions} ${sessions === 1 ? 'session' : 'sessions'} of ARC`, {
    hint: 'Stop the servers that use it. pg_stat_activity shows who that is.',
  });
}

/** @throws StorageError `BadDatabase`, `Unavailable`, `Locked`; ArcError `InvalidStorageUrl` */
export async function openTarget({ choice, password }: ChosenStorage, signal: AbortSignal): Promise<ImportTarget> {
  switch (choice.kind) {
    case 'memory':
      throw new UsageError('memory: cannot be filled');
    case 'sqlite':
      return openSqliteImport({ file: choice.file });
    case 'postgres': {
      const { inspectPostgres, openPostgresImport } = await import('@arc/storage-postgres');
      const access = { url: choice.url, ...(password !== undefined && { password }) };
      const { namesakes } = await inspectPostgres(access);
      if (namesakes > 0 && !behindPooler(choice.url)) throw inUse(choice, namesakes);
      return await openPostgresImport(access);
    }
    case 'etcd': {
      const { openEtcdImport } = await import('@arc/storage-etcd');
      return await openEtcdImport({ ...(await etcdOptions(choice.url)), signal });
    }
  }
}
