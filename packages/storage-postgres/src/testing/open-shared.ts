import type { Store } from '@arc/storage';
import { openPostgresStore, type PostgresStoreOptions } from '../postgres-store.ts';

type SharedOptions = Pick<PostgresStoreOptions, 'url' | 'readUrl' | 'replicaPatienceMs'>;

/** Where `openShared` finds a database. */
export function addressOf(options: SharedOptions): string {
  return JSON.stringify(options);
}

/** Lets the processes of the conformance suite in. */
export async function openShared(address: string): Promise<Store> {
  return await openPostgresStore(JSON.parse(address) as SharedOptions);
}
