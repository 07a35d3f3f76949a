import type { Store } from '../store.ts';
import { recordHistory, type HistoryJournal, type HistoryOptions, type Recorded, type RecordedWrite } from './recorded-history.ts';

/** What the suite sends to a process that it forked from this file. */
export interface HistoryOrder {
  /** Of a module that exports `openShared`. */
  readonly module: string;
  readonly address: string;
}

/** Sent when the store is open. */
export type HistoryStart = Omit<HistoryOptions, 'signal' | 'journal'>;

/** The store is open; as the journal of the history; all is done. */
export type HistoryReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'intended'; readonly writes: readonly RecordedWrite[] }
  | { readonly kind: 'recorded'; readonly operation: Recorded }
  | { readonly kind: 'done' };

/** What a module exports that lets other processes in. */
export interface SharedStores {
  /** Opens a store on what lies at an address. */
  openShared(address: string): Promise<Store>;
}

/** Resolves when the message has left this process: it arrives though the process is killed. */
async function report(message: HistoryReport): Promise<void> {
  await new Promise<void>((resolve) => process.send?.(message, () => resolve()));
}

process.once('message', (order) => void obey(order as HistoryOrder));

async function obey({ module, address }: HistoryOrder): Promise<void> {
  const { openShared } = (await import(module)) as SharedStores;
  await using store = await openShared(address);
  const started = Promise.withResolvers<HistoryStart>();
  process.once('message', (start) => started.resolve(start as HistoryStart));
  await report({ kind: 'ready' });
  const journal: HistoryJournal = {
    intended: (writes) => report({ kind: 'intended', writes }),
    recorded: (operation) => void report({ kind: 'recorded', operation }),
  };
  await recordHistory([store], { ...(await started.promise), journal });
  await report({ kind: 'done' });
}
