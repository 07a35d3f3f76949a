import {
  assertNotCompacted,
  assertNotFuture,
  ChangeNotifier,
  followChanges,
  prefixEnd,
  rangeStart,
  RecentChanges,
  StorageError,
  type ChangeBatch,
  type ChangeEvent,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoredValue,
  type StoreKey,
  type WriteItem,
  type WriteOutcome,
} from '@arc/storage';
import { DatabaseThread } from './database-thread.ts';
import { pack, unpack, type Calls, type Opened, type Packed, type Rows } from './protocol.ts';

export interface SqliteStoreOptions {
  /** The database file; made, with its directory, when it does not exist. Files named after it are kept beside it. */
  readonly file: string;
  /** The most the file may hold, bytes; further writes fail with `Full`. Default: what the volume holds. */
  readonly maxBytes?: number;
  /** Gives up opening. The open store is ended by disposing of it. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a store in an SQLite file, on a thread of its own. A commit is one transaction, durable (fsync) before it is
 * acknowledged. No other process can open the file meanwhile.
 *
 * @throws StorageError `Locked` when another process has it, `BadDatabase` when it is damaged, foreign or of a newer
 *   schema, `Unavailable` when it cannot be opened
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { file, maxBytes, signal } = options;
  let store: SqliteStore | undefined;
  const thread = new DatabaseThread({ file, maxBytes }, (revision) => store?.resume(revision));
  try {
    store = new SqliteStore(thread, await thread.opened(signal));
    return store;
  } catch (error) {
    await thread.terminate();
    throw error;
  }
}

const logPage = 250;
const compactionStep = 500;

/** The store over an open thread; outside this package only `openSqliteStore` makes one. */
export class SqliteStore implements Store {
  readonly #thread: DatabaseThread;
  #revision: number;
  #compacted: number;
  #closed = false;
  readonly #recent = new RecentChanges();
  readonly #changed = new ChangeNotifier();

  constructor(thread: DatabaseThread, { revision, compacted }: Opened) {
    this.#thread = thread;
    this.#revision = revision;
    this.#compacted = compacted;
  }

  async commit(batch: readonly WriteItem[]): Promise<readonly WriteOutcome[]> {
    this.#assertOpen();
    const values = pack(batch.map(({ value }) => value));
    const args = { keys: batch.map(({ key }) => key), expected: batch.map(({ expect }) => expect), values };
    const reply = await this.#thread.call('commit', args, { transfer: [values.buffer] });
    const outcomes = outcomesOf(batch, reply);
    this.#publish(batch, outcomes);
    return outcomes;
  }

  async get(key: StoreKey, options: { readonly signal?: AbortSignal } = {}): Promise<StoredValue | undefined> {
    this.#assertOpen();
    return storedValues(await this.#thread.call('get', { key }, { signal: options.signal }))[0];
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    this.#assertOpen();
    const { prefix, after, limit, revision, signal } = options;
    assertNotFuture(revision ?? 0, this.#revision);
    assertNotCompacted(revision ?? this.#revision, this.#compacted);
    const args = { start: rangeStart(prefix, after), end: prefixEnd(prefix), limit, revision };
    const reply = await this.#thread.call('range', args, { signal });
    return { revision: reply.revision, items: storedValues(reply), more: reply.more };
  }

  async currentRevision(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    // Known here without asking, but no longer true of a database that is lost.
    this.#thread.assertRunning();
    return this.#revision;
  }

  changes(after: number, signal: AbortSignal): AsyncIterable<ChangeBatch> {
    return followChanges(
      {
        currentRevision: () => {
          this.#assertOpen();
          return this.#revision;
        },
        read: (from) => this.#changesAfter(from),
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
    // Before the thread begins: a snapshot asked for from now on would be read after history has gone.
    this.#compacted = revision;
    for (let done = false; !done;) ({ done } = await this.#thread.call('compact', { revision, limit: compactionStep }));
  }

  async compactedRevision(): Promise<number> {
    this.#assertOpen();
    return this.#compacted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#changed.notify();
    try {
      await this.#thread.call('close', {});
    } finally {
      await this.#thread.terminate();
    }
  }

  /** Goes on from `revision`, found by looking: what it includes is read from the log. */
  resume(revision: number): void {
    this.#recent.clear();
    this.#revision = revision;
    this.#changed.notify();
  }

  #publish(batch: readonly WriteItem[], outcomes: readonly WriteOutcome[]): void {
    const events: ChangeEvent[] = [];
    for (const [index, { key, value }] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome?.committed === true) events.push({ key, revision: outcome.revision, value, previous: outcome.previous });
    }
    const newest = events.at(-1)?.revision;
    if (newest === undefined) return;
    this.#recent.push(events);
    this.#revision = newest;
    this.#changed.notify();
  }

  async #changesAfter(after: number): Promise<ChangeBatch> {
    assertNotCompacted(after, this.#compacted);
    const recent = this.#recent.read(after);
    if (recent !== undefined) return recent;
    const reply = await this.#thread.call('log', { after, limit: logPage });
    const values = unpack(reply.values);
    const priors = priorsOf(reply.keys, reply.priorRevisions, reply.priorValues);
    const events = reply.keys.map((key, index) => ({
      key,
      revision: reply.revisions[index] ?? 0,
      value: values[index] ?? null,
      previous: priors[index],
    }));
    return { revision: events.at(-1)?.revision ?? after, events };
  }

  #assertOpen(): void {
    if (this.#closed) throw new StorageError('Closed', 'the store has been closed');
  }
}

function outcomesOf(batch: readonly WriteItem[], reply: Calls['commit']['reply']): readonly WriteOutcome[] {
  const keys = batch.map(({ key }) => key);
  return priorsOf(keys, reply.priorRevisions, reply.priorValues).map((prior, index) => {
    const revision = reply.revisions[index] ?? 0;
    return revision === 0 ? { committed: false, current: prior } : { committed: true, revision, previous: prior };
  });
}

function priorsOf(keys: readonly StoreKey[], revisions: readonly number[], values: Packed): (StoredValue | undefined)[] {
  return unpack(values).map((value, index) =>
    value === undefined ? undefined : { key: keys[index] ?? '', revision: revisions[index] ?? 0, value },
  );
}

function storedValues({ keys, revisions, values }: Rows): StoredValue[] {
  return unpack(values).map((value, index) => ({
    key: keys[index] ?? '',
    revision: revisions[index] ?? 0,
    value: value ?? new Uint8Array(),
  }));
}
