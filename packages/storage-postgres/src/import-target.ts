import { randomUUID } from 'node:crypto';
import {
  decodePlan,
  encodePlan,
  pagesOf,
  unfinishedImport,
  type ImportPlan,
  type ImportResult,
  type ImportState,
  type ImportTarget,
  type StoredValue,
} from '@arc/storage';
import { describeDatabase, parsePostgresUrl } from './connection-settings.ts';
import { clientConfig, Connections, type Row, type Statement } from './connections.ts';
import { assertMigrated, type PostgresAccess } from './migrate.ts';
import { lockClass } from './migrations/0001-objects.ts';
import { channelOf } from './schema-name.ts';
import { statementsFor } from './statements.ts';

/**
 * Opens a migrated database to be filled. From `begin` to `finish` the writes of servers that are running are refused.
 *
 * @throws StorageError `BadDatabase`, `Unavailable`; ArcError `InvalidStorageUrl`, `UnreadableFile`
 */
export async function openPostgresImport(access: PostgresAccess): Promise<ImportTarget> {
  const settings = parsePostgresUrl(access.url);
  // Removing or adding many objects takes as long as it takes.
  const connections = new Connections(settings, { ...(await clientConfig(settings, access.password)), query_timeout: 0 });
  try {
    await assertMigrated(connections);
    return new PostgresImport(connections);
  } catch (error) {
    await connections.end();
    throw error;
  }
}

/**
 * Checks that nothing is being copied into the tables.
 *
 * @throws StorageError `BadDatabase`, `Unavailable`
 */
export async function assertFilled(connections: Connections): Promise<void> {
  const { settings } = connections;
  const [[plan] = []] = await connections.query({ text: `SELECT plan FROM ${settings.schema}.import` });
  if (plan !== undefined) throw unfinishedImport(`the database ${describeDatabase(settings)}`, decodePlan(String(plan)));
}

class PostgresImport implements ImportTarget {
  readonly keepsRevisions = true;
  readonly #connections: Connections;
  readonly #schema: string;

  constructor(connections: Connections) {
    this.#connections = connections;
    this.#schema = connections.settings.schema;
  }

  async state(): Promise<ImportState> {
    const [[objects, plan] = []] = await this.#connections.query({
      text: `SELECT (SELECT count(*) FROM ${this.#schema}.live), (SELECT plan FROM ${this.#schema}.import)`,
    });
    return { objects: Number(objects), unfinished: plan === null ? undefined : decodePlan(String(plan)) };
  }

  async begin(plan: ImportPlan): Promise<void> {
    await this.#transaction(async (query) => {
      await query({ text: `DELETE FROM ${this.#schema}.import` });
      await query({ text: `INSERT INTO ${this.#schema}.import (plan) VALUES ($1)`, values: [encodePlan(plan)] });
      await query({ text: `DELETE FROM ${this.#schema}.live` });
    });
  }

  async write(values: readonly StoredValue[]): Promise<void> {
    await this.#transaction(async (query) => {
      // One parameter for the bytes of all: as an array they would be text of twice the size.
      await query({
        text: `INSERT INTO ${this.#schema}.live (key, revision, value)
          SELECT i.key, i.revision, substring($4::bytea FROM i.start::integer FOR i.length) FROM (
            SELECT u.*, 1 + sum(u.length) OVER (ORDER BY u.position) - u.length AS start
            FROM unnest($1::text[], $2::bigint[], $3::integer[]) WITH ORDINALITY AS u (key, revision, length, position)) i`,
        values: [
          values.map(({ key }) => key),
          values.map(({ revision }) => revision),
          values.map(({ value }) => value.length),
          Buffer.concat(values.map(({ value }) => value)),
        ],
      });
    });
  }

  objects(signal: AbortSignal): AsyncIterable<readonly StoredValue[]> {
    const { range } = statementsFor(this.#schema);
    return pagesOf(async ({ after, limit }) => {
      const rows = await this.#connections.query({ text: range, values: ['', after, null, limit + 1] }, signal);
      const items = rows.flatMap(([, , key, revision, value]) =>
        key === null ? [] : [{ key: String(key), revision: Number(revision), value: value as Uint8Array }],
      );
      return { items: items.slice(0, limit), more: items.length > limit };
    });
  }

  async finish(revision: number): Promise<ImportResult> {
    const result = await this.#transaction(async (query) => {
      const [[before] = []] = await query({ text: `SELECT coalesce(max(revision), 0) FROM ${this.#schema}.log` });
      const newest = Math.max(revision, Number(before) === 0 ? 0 : Number(before) + 1);
      await query({ text: `DELETE FROM ${this.#schema}.log` });
      if (newest > 0) await query(this.#anchor(newest));
      await query({ text: `UPDATE ${this.#schema}.meta SET value = $1 WHERE name = 'compacted'`, values: [newest] });
      await query({ text: `DELETE FROM ${this.#schema}.import` });
      await query({ text: 'SELECT pg_notify($1, $2)', values: [channelOf(this.#schema), String(newest)] });
      return { revision: newest, compactedRevision: newest };
    });
    // Plans made before autovacuum comes round would be those for empty tables.
    await this.#connections.query({ text: `ANALYZE ${this.#schema}.live` });
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections.end();
  }

  /** Compaction keeps the log's newest row, which numbers the next write; nobody is told of this one. */
  #anchor(revision: number): Statement {
    return {
      text: `INSERT INTO ${this.#schema}.log (revision, key, value, prior_revision, prior_value, batch) VALUES ($1, '', NULL, 0, NULL, $2)`,
      values: [revision, randomUUID()],
    };
  }

  /** As a writer, though writers are kept out meanwhile. */
  async #transaction<T>(work: (query: (statement: Statement) => Promise<readonly Row[]>) => Promise<T>): Promise<T> {
    return await this.#connections.transaction(async (query) => {
      await query({ text: "SET LOCAL statement_timeout = 0; SET LOCAL synchronous_commit = 'on'" });
      await query({ text: `SELECT pg_advisory_xact_lock(${lockClass}, hashtext('${this.#schema}'))` });
      return await work(query);
    });
  }
}
