import type { Store, StoredValue } from '../store.ts';

/** One consistent state of everything a store holds, which can be read any number of times. */
export interface StoreSnapshot {
  /** The newest revision of the store; nothing here is newer. */
  readonly revision: number;
  /** The revision up to which the store had forgotten history. */
  readonly compactedRevision: number;
  /** Every object in the order of its key, in pages. */
  objects(signal: AbortSignal): AsyncIterable<readonly StoredValue[]>;
}

const maxPageObjects = 1000;
const wantedPageBytes = 4 * 1024 * 1024;

/**
 * The newest state of an open store. Where the store is being written meanwhile, history from here on has to last as long as
 * the reading does, or it ends with StorageError `Compacted`.
 */
export async function snapshotOf(store: Store, signal: AbortSignal): Promise<StoreSnapshot> {
  const revision = await store.currentRevision({ signal });
  const compactedRevision = await store.compactedRevision();
  return {
    revision,
    compactedRevision,
    objects: (signal) => pagesOf((page) => store.range({ ...page, prefix: '', revision, signal })),
  };
}

/** Reads everything page by page, the pages the smaller the larger the values are. */
export async function* pagesOf(
  read: (page: { readonly after: string; readonly limit: number }) => Promise<{ items: readonly StoredValue[]; more: boolean }>,
): AsyncGenerator<readonly StoredValue[], void, void> {
  let after = '';
  let limit = 100;
  for (;;) {
    const { items, more } = await read({ after, limit });
    if (items.length > 0) yield items;
    if (!more) return;
    after = items.at(-1)?.key ?? after;
    const bytes = items.reduce((sum, { value }) => sum + value.length, 1);
    limit = Math.max(1, Math.min(maxPageObjects, Math.floor((items.length * wantedPageBytes) / bytes)));
  }
}
