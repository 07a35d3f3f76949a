import type { Store } from '../store.ts';
import { recordHistory, type HistoryOptions, type Recorded } from './recorded-history.ts';

/** What the suite sends to a process that it forked from this file. */
export interface HistoryOrder {
  /** Of a module that exports `openShared`. */
  readonly module: string;
  readonly address: string;
}

/** Sent when the store is open. */
export type HistoryStart = Omit<HistoryOptions, 'signal'>;

export type HistoryReport = { readonly ready: true } | { readonly recorded: readonly Recorded[] };

/** What a module exports that lets other processes in. */
export interface SharedStores {
  /** Opens a store on what lies at an address. */
  openShared(address: string): Promise<Store>;
}

const report = (message: HistoryReport): void => void process.send?.(message);

process.once('message', (order) => void obey(order as HistoryOrder));

async function obey({ module, address }: HistoryOrder): Promise<void> {
  const { openShared } = (await import(module)) as SharedStores;
  await using store = await openShared(address);
  const started = Promise.withResolvers<HistoryStart>();
  process.once('message', (start) => started.resolve(start as HistoryStart));
  report({ ready: true });
  report({ recorded: await recordHistory([store], await started.promise) });
}
