import { UsageError } from '@arc/cli-kit';
import type { Logger } from '@arc/kernel';
import { createMemoryStore } from '@arc/storage';
import type { Store } from '@arc/storage';
import { openSqliteStore } from '@arc/storage-sqlite';
import { etcdOptions } from './etcd-options.ts';

export type StorageChoice =
  | { readonly kind: 'memory' }
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string }
  | { readonly kind: 'etcd'; readonly url: string };

export interface OpenStoreOptions {
  /** Gives up opening. */
  readonly signal: AbortSignal;
  /** For a database whose URL names neither a password nor a file with one. */
  readonly password?: string | undefined;
  /** Of a streaming replica; only for PostgreSQL. */
  readonly readUrl?: string | undefined;
  readonly logger?: Logger;
  /** True: to read all of it, by a user that may do no more. */
  readonly readOnly?: boolean | undefined;
}

/**
 * Parses `sqlite:FILE`, `postgres://...`, `etcd://...` or `memory:`. What a database's URL holds is checked when it is opened.
 *
 * @throws UsageError
 */
export function parseStorageUrl(url: string): StorageChoice {
  if (url === 'memory:') return { kind: 'memory' };
  const file = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(url)?.[1];
  if (file !== undefined) return { kind: 'sqlite', file };
  if (/^postgres(ql)?:\/\//.test(url)) return { kind: 'postgres', url };
  if (url.startsWith('etcd://')) return { kind: 'etcd', url };
  if (/^\.{0,2}\//.test(url)) throw new UsageError(`${url} is not the URL of a storage`, { hint: `Write sqlite:${url}` });
  // Not the whole of it: it may hold a password.
  const scheme = /^[\w+.-]*:?/.exec(url)?.[0] ?? '';
  throw new UsageError(`unknown storage ${JSON.stringify(scheme)}`, {
    hint: 'Write sqlite:FILE, postgres://USER@HOST:PORT/DATABASE, etcd://HOST:PORT[,HOST:PORT] or memory:',
  });
}

/** @throws StorageError `Locked`, `BadDatabase`, `Unavailable`; ArcError `InvalidStorageUrl`; UsageError */
export async function openStore(choice: StorageChoice, options: OpenStoreOptions): Promise<Store> {
  const { signal, password, readUrl, logger, readOnly = false } = options;
  if (readUrl !== undefined && choice.kind !== 'postgres') {
    throw new UsageError('only PostgreSQL has a replica to read from', {
      hint: 'Leave --storage-read-url out, or say --storage postgres://...',
    });
  }
  switch (choice.kind) {
    case 'memory':
      return createMemoryStore();
    case 'sqlite':
      return await openSqliteStore({ file: choice.file, signal });
    case 'postgres': {
      const { openPostgresStore } = await import('@arc/storage-postgres');
      return await openPostgresStore({
        url: choice.url,
        signal,
        ...(password !== undefined && { password }),
        ...(readUrl !== undefined && { readUrl }),
        ...(logger !== undefined && { logger }),
      });
    }
    case 'etcd': {
      const { openEtcdStore } = await import('@arc/storage-etcd');
      return await openEtcdStore({ ...(await etcdOptions(choice.url)), signal, readOnly });
    }
  }
}
