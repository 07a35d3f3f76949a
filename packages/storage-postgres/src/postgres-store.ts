import { silentLogger, systemClock, type Clock, type Logger } from '@arc/kernel';
import {
  assertNotCompacted,
  assertNotFuture,
  prefixEnd,
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
import type { ClientConfig } from 'pg';
import { ChangeFeed } from './change-feed.ts';
import { commitBatch } from './commit.ts';
import { parsePostgresUrl, parseReadUrl } from './connection-settings.ts';
import { clientConfig, Connections, type Row, type Statement } from './connections.ts';
import { HistoryReads } from './history-reads.ts';
import { assertFilled } from './import-target.ts';
import { assertMigrated, type PostgresAccess } from './migrate.ts';
import { Replica } from './replica.ts';
import { statementsFor, type Statements } from './statements.ts';
import { WakeUp } from './wake-up.ts';

export interface PostgresStoreOptions extends PostgresAccess {
  /** How long a commit whose connection was lost is looked for before its outcome is unknown, milliseconds; default 15,000. */
  readonly settleMs?: number;
  /**
   * A streaming replica of the same database, as a URL with its own host and TLS files. It answers ranges and reads of the log, where it has
   * reached what is needed; it may be away or behind at any time.
   */
  readonly readUrl?: string;
  /** How long a read waits for the replica before the primary answers it, milliseconds; default 1,000. */
  readonly replicaPatienceMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Gives up opening. The open store is ended by disposing of it. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a store in a PostgreSQL database (13 or newer) that was migrated. Any number of processes may have it open.
 *
 * @throws StorageError `BadDatabase` when the schema is missing, foreign, older or newer, or `readUrl` names no replica of this
 *   database, `Unavailable` when the database cannot be reached; ArcError `InvalidStorageUrl`, `UnreadableFile`
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const settings = parsePostgresUrl(options.url);
  const config = await clientConfig(settings, options.password);
  await using opening = new AsyncDisposableStack();
  const { clock = systemClock } = options;
  const connections = opening.adopt(new Connections(settings, config, { clock }), (connections) => connections.end());
  options.signal?.throwIfAborted();
  await assertMigrated(connections);
  await assertFilled(connections);
  const statements = statementsFor(settings.schema);
  const [[newest, compacted] = []] = await connections.query({ text: statements.facts }, options.signal);
  const opened = { newest: Number(newest), compacted: Number(compacted) };
  const replica = await openReplica(connections, statements, options);
  if (replica !== undefined) opening.use(replica);
  options.signal?.throwIfAborted();
  opening.move();
  return new PostgresStore({ connections, replica, config, statements, opened, options });
}

async function openReplica(primary: Connections, statements: Statements, options: PostgresStoreOptions): Promise<Replica | undefined> {
  const { readUrl, password, replicaPatienceMs: patienceMs = 1_000, clock = systemClock, logger = silentLogger } = options;
  if (readUrl === undefined) return undefined;
  const settings = parseReadUrl(readUrl, primary.settings);
  const connections = new Connections(settings, await clientConfig(settings, password), { clock });
  const replica = new Replica(connections, { primary, statements, patienceMs, clock, logger });
  try {
    await replica.open();
    return replica;
  } catch (error) {
    await replica[Symbol.asyncDispose]();
    throw error;
  }
}

interface Parts {
  readonly connections: Connections;
  readonly replica: Replica | undefined;
  readonly config: ClientConfig;
  readonly statements: Statements;
  readonly opened: { readonly newest: number; readonly compacted: number };
  readonly options: PostgresStoreOptions;
}

const compactionStep = 5_000;

class PostgresStore implements Store {
  readonly #connections: Connections;
  readonly #replica: Replica | undefined;
  readonly #history: HistoryReads;
  readonly #statements: Statements;
  readonly #clock: Clock;
  readonly #settleMs: number;
  readonly #feed: ChangeFeed;
  readonly #stop = new AbortController();
  readonly #background: readonly Promise<void>[];
  #closed = false;

  constructor({ connections, replica, config, statements, opened, options }: Parts) {
    const { settleMs = 15_000, clock = systemClock, logger = silentLogger } = options;
    const { schema, pooler } = connections.settings;
    this.#connections = connections;
    this.#replica = replica;
    this.#history = new HistoryReads(connections, statements, replica);
    this.#statements = statements;
    this.#clock = clock;
    this.#settleMs = settleMs;
    const wakeUp = new WakeUp(config, {
      schema,
      clock,
      logger,
      wake: (revision) => this.#feed.wake(revision),
      lost: () => this.#history.doubt(),
    });
    const isListening = (): boolean => wakeUp.isListening;
    this.#feed = new ChangeFeed({ connections, statements, history: this.#history, ...opened, clock, logger, isListening });
    const { signal } = this.#stop;
    this.#background = [this.#feed.run(signal), ...(pooler ? [] : [wakeUp.run(signal)])];
  }

  async commit(batch: readonly WriteItem[]): Promise<readonly WriteOutcome[]> {
    this.#assertOpen();
    if (batch.length === 0) return [];
    const outcomes = await commitBatch(batch, {
      connections: this.#connections,
      statements: this.#statements,
      clock: this.#clock,
      settleMs: this.#settleMs,
      since: this.#feed.revision,
      valueAt: async (key, revision) => ({ committed: false, current: await this.#valueAt(key, revision) }),
    });
    this.#feed.committed(eventsOf(batch, outcomes));
    return outcomes;
  }

  async get(key: StoreKey, options: { readonly signal?: AbortSignal } = {}): Promise<StoredValue | undefined> {
    this.#assertOpen();
    const rows = await this.#connections.query({ text: this.#statements.get, values: [key] }, options.signal);
    return rows.map(storedValue)[0];
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    this.#assertOpen();
    const { revision, signal } = options;
    if (this.#replica === undefined) return await this.#rangeOfPrimary(options);
    // Only the primary knows what is newest, and whether there is such a revision.
    const newest =
      revision !== undefined && revision <= this.#feed.revision ? revision : await this.currentRevision({ ...(signal && { signal }) });
    assertNotFuture(revision ?? 0, newest);
    const at = revision ?? newest;
    assertNotCompacted(at, this.#feed.compactedRevision);
    return rangeResult(
      { ...options, revision: at },
      await this.#history.snapshot(rangeStatement(this.#statements, { ...options, revision: at }), at, signal),
    );
  }

  async currentRevision(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    this.#assertOpen();
    const [[newest = 0] = []] = await this.#connections.query({ text: this.#statements.newest }, options.signal);
    // Whoever asks waits for changes up to here: do not leave it to the notification alone.
    this.#feed.wake(Number(newest));
    return Number(newest);
  }

  changes(after: number, signal: AbortSignal): AsyncIterable<ChangeBatch> {
    return this.#feed.changes(after, (signal) => this.currentRevision({ signal }), signal);
  }

  async compact(revision: number): Promise<void> {
    this.#assertOpen();
    assertNotFuture(revision, await this.currentRevision());
    await this.#connections.query({ text: this.#statements.raiseCompacted, values: [revision] });
    this.#feed.compacted(revision);
    for (let deleted = compactionStep; deleted === compactionStep;) {
      const [[count] = []] = await this.#connections.query({ text: this.#statements.deleteLog, values: [revision, compactionStep] });
      deleted = Number(count);
    }
    await this.#connections.query({ text: this.#statements.deleteAbandoned });
  }

  async compactedRevision(): Promise<number> {
    this.#assertOpen();
    const [[, compacted] = []] = await this.#connections.query({ text: this.#statements.facts });
    return Number(compacted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop.abort();
    this.#feed.close();
    await Promise.all(this.#background);
    await this.#replica?.[Symbol.asyncDispose]();
    await this.#connections.end();
  }

  async #rangeOfPrimary(options: RangeOptions): Promise<RangeResult> {
    return rangeResult(options, await this.#connections.query(rangeStatement(this.#statements, options), options.signal));
  }

  async #valueAt(key: StoreKey, revision: number): Promise<StoredValue | undefined> {
    const { items } = await this.#rangeOfPrimary({ prefix: key, limit: 1, revision });
    return items.find((item) => item.key === key);
  }

  #assertOpen(): void {
    if (this.#closed) throw new StorageError('Closed', 'the store has been closed');
  }
}

function eventsOf(batch: readonly WriteItem[], outcomes: readonly WriteOutcome[]): readonly ChangeEvent[] {
  return batch.flatMap(({ key, value }, index) => {
    const outcome = outcomes[index];
    return outcome?.committed === true ? [{ key, revision: outcome.revision, value, previous: outcome.previous }] : [];
  });
}

function rangeStatement({ range, rangeAt }: Statements, { prefix, after, limit, revision }: RangeOptions): Statement {
  const values = [prefix, lowerBound(after), prefixEnd(prefix) ?? null, limit === undefined ? null : limit + 1];
  return revision === undefined ? { text: range, values } : { text: rangeAt, values: [...values, revision] };
}

/** @throws StorageError `Compacted`, `FutureRevision` */
function rangeResult({ revision, limit }: RangeOptions, rows: readonly Row[]): RangeResult {
  const [newest, compacted] = (rows[0] ?? []).map(Number);
  assertNotFuture(revision ?? 0, newest ?? 0);
  if (revision !== undefined) assertNotCompacted(revision, compacted ?? 0);
  const items = rows.flatMap(([, , ...row]) => (row[0] === null ? [] : [storedValue(row)]));
  const more = limit !== undefined && items.length > limit;
  return { revision: revision ?? newest ?? 0, items: more ? items.slice(0, limit) : items, more };
}

function storedValue([key, revision, value]: Row): StoredValue {
  return { key: String(key), revision: Number(revision), value: value as Uint8Array };
}

/** PostgreSQL's text holds no NUL, and no key does: what follows `a\0b` follows `a`. */
function lowerBound(after: StoreKey | undefined): string {
  return after?.replace(/\0.*$/s, '') ?? '';
}
