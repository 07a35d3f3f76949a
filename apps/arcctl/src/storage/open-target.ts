import { UsageError } from '@arc/cli-kit';
import type { ImportTarget } from '@arc/storage';
import { openSqliteImport } from '@arc/storage-sqlite';
import type { ChosenStorage } from './chosen-storage.ts';
import { etcdOptions } from './etcd-options.ts';

/** @throws StorageError `BadDatabase`, `Unavailable`, `Locked`; ArcError `InvalidStorageUrl` */
export async function openTarget({ choice, password }: ChosenStorage, signal: AbortSignal): Promise<ImportTarget> {
  switch (choice.kind) {
    case 'memory':
      throw new UsageError('memory: cannot be filled');
    case 'sqlite':
      return openSqliteImport({ file: choice.file });
    case 'postgres': {
      const { openPostgresImport } = await import('@arc/storage-postgres');
      return await openPostgresImport({ url: choice.url, ...(password !== undefined && { password }) });
    }
    case 'etcd': {
      const { openEtcdImport } = await import('@arc/storage-etcd');
      return await openEtcdImport({ ...(await etcdOptions(choice.url)), signal });
    }
  }
}
