import { assertNotCompacted, assertNotFuture, ChangeNotifier, followChanges } from '../follow-changes.ts';
import { compareKeys, prefixEnd, rangeStart } from '../key-order.ts';
import { SegmentedMap } from '../segmented-map.ts';
import { StorageError } from '../storage-error.ts';
import type {
  ChangeBatch,
  ChangeEvent,
  RangeOptions,
  RangeResult,
  Store,
  StoredValue,
  StoreKey,
  WriteItem,
  WriteOutcome,
} from '../store.ts';

const eventsPerBatch = 500;

/** A Store in memory: the reference for the others, gone with the process. */
export function createMemoryStore(): Store {
  return new MemoryStore();
}

class MemoryStore implements Store {
  readonly #live = new SegmentedMap<StoredValue>();
  /** Gap-free: the event at index i has revision `#compacted + 1 + i`. */
  #log: ChangeEvent[] = [];
  #revision = 0;
  #compacted = 0;
  #closed = false;
  readonly #changed = new ChangeNotifier();

  async commit(batch: readonly WriteItem[]): Promise<readonly WriteOutcome[]> {
    this.#assertOpen();
    const outcomes = batch.map((item) => this.#write(item));
    this.#changed.notify();
    return outcomes;
  }

  async get(key: StoreKey, options: { readonly signal?: AbortSignal } = {}): Promise<StoredValue | undefined> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    return this.#live.get(key);
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    const revision = options.revision ?? this.#revision;
    assertNotFuture(revision, this.#revision);
    assertNotCompacted(revision, this.#compacted);
    const items = this.#itemsAt(revision, options);
    const limit = options.limit ?? items.length;
    return { revision, items: items.slice(0, limit), more: items.length > limit };
  }

  async currentRevision(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    return this.#revision;
  }

  changes(after: number, signal: AbortSignal): AsyncIterable<ChangeBatch> {
    return followChanges(
      {
        currentRevision: () => {
          this.#assertOpen();
          return this.#revision;
        },
        read: (from) => this.#eventsAfter(from),
        changed: this.#changed,
      },
      after,
      signal,
    );
  }

  async compact(revision: number): Promise<void> {
    this.#assertOpen();
    assertNotFuture(revision, this.#revision);
    if (revision <= this.#compacted) return;
    this.#log = this.#log.slice(revision - this.#compacted);
    this.#compacted = revision;
  }

  async compactedRevision(): Promise<number> {
    this.#assertOpen();
    return this.#compacted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#changed.notify();
  }

  #write(item: WriteItem): WriteOutcome {
    const current = this.#live.get(item.key);
    const matches = item.expect === 'absent' ? current === undefined && item.value !== null : current?.revision === item.expect;
    if (!matches) return { committed: false, current };
    const revision = ++this.#revision;
    // An exact copy: the caller's bytes may be a view of a much larger pooled buffer.
    const value = item.value === null ? null : new Uint8Array(item.value);
    if (value === null) this.#live.delete(item.key);
    else this.#live.set({ key: item.key, revision, value });
    this.#log.push({ key: item.key, revision, value, previous: current });
    return { committed: true, revision, previous: current };
  }

  #itemsAt(revision: number, { prefix, after, limit }: RangeOptions): StoredValue[] {
    const start = rangeStart(prefix, after);
    const end = prefixEnd(prefix);
    const items: StoredValue[] = [];
    if (revision === this.#revision) {
      this.#live.walk(start, end, (value) => items.push(value) <= (limit ?? Infinity));
      return items;
    }
    this.#live.walk(start, end, (value) => (value.revision <= revision ? items.push(value) > 0 : true));
    for (const { key, previous } of this.#log.slice(revision - this.#compacted)) {
      const inRange = compareKeys(key, start) >= 0 && (end === undefined || compareKeys(key, end) < 0);
      if (inRange && previous !== undefined && previous.revision <= revision) items.push(previous);
    }
    return items.sort((a, b) => compareKeys(a.key, b.key));
  }

  #eventsAfter(after: number): ChangeBatch {
    assertNotCompacted(after, this.#compacted);
    const from = after - this.#compacted;
    const events = this.#log.slice(from, from + eventsPerBatch);
    return { revision: after + events.length, events };
  }

  #assertOpen(): void {
    if (this.#closed) throw new StorageError('Closed', 'the store has been closed');
  }
}
