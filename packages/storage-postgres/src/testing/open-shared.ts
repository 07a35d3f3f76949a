import type { Store } from '@arc/storage';
import { openPostgresStore } from '../postgres-store.ts';

/** Lets the processes of the conformance suite in. */
export async function openShared(url: string): Promise<Store> {
  return await openPostgresStore({ url });
}
