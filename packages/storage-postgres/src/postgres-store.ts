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
import { parsePostgresUrl } from './connection-settings.ts';
import { clientConfig, Connections, type Row } from './connections.ts';
import { assertMigrated, type PostgresAccess } from './migrate.ts';
import { statementsFor, type Statements } from './statements.ts';
import { WakeUp } from './wake-up.ts';

export interface PostgresStoreOptions extends PostgresAccess {
  /** How long a commit whose connection was lost is looked for before its outcome is unknown, milliseconds; default 15,000. */
  readonly settleMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Gives up opening. The open store is ended by disposing of it. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a store in a PostgreSQL database (13 or newer) that was migrated. Any number of processes may have it open.
 *
 * @throws StorageError `BadDatabase` when the schema is missing, foreign, older or newer, `Unavailable` when the database
 *   cannot be reached; ArcError `InvalidStorageUrl`, `UnreadableFile`
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const settings = parsePostgresUrl(options.url);
  const config = await clientConfig(settings, options.password);
  const connections = new Connections(settings, config);
  try {
    options.signal?.throwIfAborted();
    await assertMigrated(connections);
    const statements = statementsFor(settings.schema);
    const [[newest, compacted] = []] = await connections.query({ text: statements.facts }, options.signal);
    const opened = { newest: Number(newest), compacted: Number(compacted) };
    return new PostgresStore({ connections, config, statements, opened, options });
  } catch (error) {
    await connections.end();
    throw error;
  }
}

interface Parts {
  readonly connections: Connections;
  readonly config: ClientConfig;
  readonly statements: Statements;
  readonly opened: { readonly newest: number; readonly compacted: number };
  readonly options: PostgresStoreOptions;
}

const compactionStep = 5_000;

class PostgresStore implements Store {
  readonly #connections: Connections;
  readonly #statements: Statements;
  readonly #clock: Clock;
  readonly #settleMs: number;
  readonly #feed: ChangeFeed;
  readonly #stop = new AbortController();
  readonly #background: readonly Promise<void>[];
  #closed = false;

  constructor({ connections, config, statements, opened, options }: Parts) {
    const { settleMs = 15_000, clock = systemClock, logger = silentLogger } = options;
    const { schema, pooler } = connections.settings;
    this.#connections = connections;
    this.#statements = statements;
    this.#clock = clock;
    this.#settleMs = settleMs;
    const wakeUp = new WakeUp(config, { schema, clock, logger, wake: (revision) => this.#feed.wake(revision) });
    this.#feed = new ChangeFeed({ connections, statements, ...opened, clock, logger, isListening: () => wakeUp.isListening });
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
    const { prefix, after, limit, revision, signal } = options;
    const { range, rangeAt } = this.#statements;
    const values = [prefix, lowerBound(after), prefixEnd(prefix) ?? null, limit === undefined ? null : limit + 1];
    const statement = revision === undefined ? { text: range, values } : { text: rangeAt, values: [...values, revision] };
    const rows = await this.#connections.query(statement, signal);
    const [newest, compacted] = (rows[0] ?? []).map(Number);
    assertNotFuture(revision ?? 0, newest ?? 0);
    if (revision !== undefined) assertNotCompacted(revision, compacted ?? 0);
    const items = rows.flatMap(([, , ...row]) => (row[0] === null ? [] : [storedValue(row)]));
    const more = limit !== undefined && items.length > limit;
    return { revision: revision ?? newest ?? 0, items: more ? items.slice(0, limit) : items, more };
  }

  async currentRevision(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    this.#assertOpen();
    const [[newest] = []] = await this.#connections.query({ text: this.#statements.facts }, options.signal);
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
    await this.#connections.end();
  }

  async #valueAt(key: StoreKey, revision: number): Promise<StoredValue | undefined> {
    const { items } = await this.range({ prefix: key, limit: 1, revision });
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

function storedValue([key, revision, value]: Row): StoredValue {
  return { key: String(key), revision: Number(revision), value: value as Uint8Array };
}

/** PostgreSQL's text holds no NUL, and no key does: what follows `a\0b` follows `a`. */
function lowerBound(after: StoreKey | undefined): string {
  return after?.replace(/\0.*$/s, '') ?? '';
}
