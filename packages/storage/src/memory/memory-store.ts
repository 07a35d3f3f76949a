import { assertNotCompacted, assertNotFuture, ChangeNotifier, followChanges } from '../follow-changes.ts';
import { compareKeys, prefixEnd, rangeStart } from '../key-order.ts';
import { unfinishedImport } from '../moving/unfinished-import.ts';
import { StorageError } from '../storage-error.ts';
import type { ChangeBatch, RangeOptions, RangeResult, Store, StoredValue, StoreKey, WriteItem, WriteOutcome } from '../store.ts';
import { MemoryContent } from './memory-content.ts';

const eventsPerBatch = 500;

/** A Store in memory: the reference for the others, gone with the process. */
export function createMemoryStore(content: MemoryContent = new MemoryContent()): Store {
  if (content.unfinished !== undefined) throw unfinishedImport('the memory', content.unfinished);
  return new MemoryStore(content);
}

class MemoryStore implements Store {
  readonly #content: MemoryContent;
  #closed = false;
  readonly #changed = new ChangeNotifier();

  constructor(content: MemoryContent) {
    this.#content = content;
  }

  async commit(batch: readonly WriteItem[]): Promise<readonly WriteOutcome[]> {
    this.#assertOpen();
    const outcomes = batch.map((item) => this.#write(item));
    this.#changed.notify();
    return outcomes;
  }

  async get(key: StoreKey, options: { readonly signal?: AbortSignal } = {}): Promise<StoredValue | undefined> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    return this.#content.live.get(key);
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    const revision = options.revision ?? this.#content.revision;
    assertNotFuture(revision, this.#content.revision);
    assertNotCompacted(revision, this.#content.compacted);
    const items = this.#itemsAt(revision, options);
    const limit = options.limit ?? items.length;
    return { revision, items: items.slice(0, limit), more: items.length > limit };
  }

  async currentRevision(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    return this.#content.revision;
  }

  changes(after: number, signal: AbortSignal): AsyncIterable<ChangeBatch> {
    return followChanges(
      {
        currentRevision: () => {
          this.#assertOpen();
          return this.#content.revision;
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
    assertNotFuture(revision, this.#content.revision);
    if (revision <= this.#content.compacted) return;
    this.#content.log = this.#content.log.slice(revision - this.#content.compacted);
    this.#content.compacted = revision;
  }

  async compactedRevision(): Promise<number> {
    this.#assertOpen();
    return this.#content.compacted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#changed.notify();
  }

  #write(item: WriteItem): WriteOutcome {
    const current = this.#content.live.get(item.key);
    const matches = item.expect === 'absent' ? current === undefined && item.value !== null : current?.revision === item.expect;
    if (!matches) return { committed: false, current };
    const revision = ++this.#content.revision;
    // An exact copy: the caller's bytes may be a view of a much larger pooled buffer.
    const value = item.value === null ? null : new Uint8Array(item.value);
    if (value === null) this.#content.live.delete(item.key);
    else this.#content.live.set({ key: item.key, revision, value });
    this.#content.log.push({ key: item.key, revision, value, previous: current });
    return { committed: true, revision, previous: current };
  }

  #itemsAt(revision: number, { prefix, after, limit }: RangeOptions): StoredValue[] {
    const start = rangeStart(prefix, after);
    const end = prefixEnd(prefix);
    const items: StoredValue[] = [];
    if (revision === this.#content.revision) {
      this.#content.live.walk(start, end, (value) => items.push(value) <= (limit ?? Infinity));
      return items;
    }
    this.#content.live.walk(start, end, (value) => (value.revision <= revision ? items.push(value) > 0 : true));
    for (const { key, previous } of this.#content.log.slice(revision - this.#content.compacted)) {
      const inRange = compareKeys(key, start) >= 0 && (end === undefined || compareKeys(key, end) < 0);
      if (inRange && previous !== undefined && previous.revision <= revision) items.push(previous);
    }
    return items.sort((a, b) => compareKeys(a.key, b.key));
  }

  #eventsAfter(after: number): ChangeBatch {
    assertNotCompacted(after, this.#content.compacted);
    const from = after - this.#content.compacted;
    const events = this.#content.log.slice(from, from + eventsPerBatch);
    return { revision: after + events.length, events };
  }

  #assertOpen(): void {
    if (this.#closed) throw new StorageError('Closed', 'the store has been closed');
  }
}
