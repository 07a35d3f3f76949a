import type { StoredValue } from '../store.ts';
import type { StoreSnapshot } from './snapshot.ts';

export interface RevisionOrderOptions {
  readonly signal: AbortSignal;
  /** How many objects to leave out at the beginning. */
  readonly skip?: number;
  /** How much of the values is held at once; default 256 MiB. The snapshot is read once for each part of this size. */
  readonly maxBytes?: number;
}

interface Entry {
  readonly revision: number;
  readonly bytes: number;
}

/** The objects of a snapshot in the order of their revisions, which are taken to be unique. */
export async function* inRevisionOrder(
  snapshot: StoreSnapshot,
  { signal, skip = 0, maxBytes = 256 * 1024 * 1024 }: RevisionOrderOptions,
): AsyncGenerator<readonly StoredValue[], void, void> {
  const entries: Entry[] = [];
  for await (const page of snapshot.objects(signal)) {
    for (const { revision, value } of page) entries.push({ revision, bytes: value.length });
  }
  entries.sort((a, b) => a.revision - b.revision);
  for (let from = skip; from < entries.length;) {
    const to = endOfPart(entries, from, maxBytes);
    const [low, high] = [entries[from]?.revision ?? 0, entries[to - 1]?.revision ?? 0];
    const part: StoredValue[] = [];
    for await (const page of snapshot.objects(signal)) {
      for (const item of page) if (item.revision >= low && item.revision <= high) part.push(item);
    }
    yield part.toSorted((a, b) => a.revision - b.revision);
    from = to;
  }
}

function endOfPart(entries: readonly Entry[], from: number, maxBytes: number): number {
  let bytes = 0;
  let to = from;
  while (to < entries.length && (to === from || bytes + (entries[to]?.bytes ?? 0) <= maxBytes)) bytes += entries[to++]?.bytes ?? 0;
  return to;
}
