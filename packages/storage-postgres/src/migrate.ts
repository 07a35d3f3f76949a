import { StorageError } from '@arc/storage';
import { clientConfig, Connections, type Statement } from './connections.ts';
import { describeDatabase, parsePostgresUrl, type ConnectionSettings } from './connection-settings.ts';
import { lockClass } from './migrations/0001-objects.ts';
import { migrations, schemaVersion } from './migrations/all.ts';
import { statementsFor } from './statements.ts';

export interface PostgresAccess {
  /** `postgres://USER@HOST:PORT/DATABASE`, see `parsePostgresUrl`. */
  readonly url: string;
  /** Used when neither the URL nor a file named there has one. */
  readonly password?: string;
}

export interface MigrationResult {
  /** 0 when there was nothing. */
  readonly from: number;
  readonly to: number;
  /** Names of the migrations that were applied now. */
  readonly applied: readonly string[];
}

/**
 * Brings the schema to the version of this program, in one transaction. Several processes may do so at once: one does it, the
 * others wait for it.
 *
 * @throws StorageError `BadDatabase` when the schema is a newer one or not of ARC, or rights are missing; `Unavailable`
 */
export async function migratePostgres(access: PostgresAccess): Promise<MigrationResult> {
  const settings = parsePostgresUrl(access.url);
  const connections = new Connections(settings, { ...(await clientConfig(settings, access.password)), query_timeout: 0 });
  try {
    return await migrate(connections);
  } finally {
    await connections.end();
  }
}

async function migrate(connections: Connections): Promise<MigrationResult> {
  const { settings } = connections;
  const { schema } = settings;
  return await connections.transaction(async (query) => {
    // A data definition must not be cut short by the timeout of ordinary statements.
    await query({ text: 'SET LOCAL statement_timeout = 0' });
    await query({ text: `SELECT pg_advisory_xact_lock(${lockClass}, hashtext('migrate ${schema}'))` });
    const [[encoding, exists, ours] = []] = await query(presence(schema));
    assertUtf8(encoding, settings);
    if (ours !== true) {
      if (exists === true) await assertEmpty(query, settings);
      else await query({ text: `CREATE SCHEMA ${schema}` });
      await query({
        text: `CREATE TABLE ${schema}.migrations (version integer PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL DEFAULT now())`,
      });
    }
    const [[from] = []] = await query({ text: statementsFor(schema).version });
    const version = Number(from ?? 0);
    assertNotNewer(version, settings);
    const due = migrations.filter((migration) => migration.version > version);
    for (const { version, name, sql } of due) {
      await query({ text: sql(schema) });
      await query({ text: `INSERT INTO ${schema}.migrations (version, name) VALUES ($1, $2)`, values: [version, name] });
    }
    return { from: version, to: schemaVersion, applied: due.map(({ name }) => name) };
  });
}

/**
 * Checks that the schema is the one this program works with.
 *
 * @throws StorageError `BadDatabase`, `Unavailable`
 */
export async function assertMigrated(connections: Connections): Promise<void> {
  const { settings } = connections;
  const version = await schemaVersionOf(connections);
  assertNotNewer(version, settings);
  if (version === schemaVersion) return;
  if (version === 0) {
    throw new StorageError('BadDatabase', `the database ${describeDatabase(settings)} has no schema ${settings.schema} of ARC`, {
      hint: 'Run arcctl storage migrate with the same URL; schema=NAME in the URL chooses another schema.',
    });
  }
  throw new StorageError(
    'BadDatabase',
    `the schema ${settings.schema} of ${describeDatabase(settings)} has version ${version}; this ARC works with ${schemaVersion}`,
    { hint: 'Run arcctl storage migrate with the same URL.' },
  );
}

/**
 * The version of the schema, 0 when there is none.
 *
 * @throws StorageError `BadDatabase` when a schema of that name is not one of ARC, `Unavailable`
 */
export async function schemaVersionOf(connections: Connections): Promise<number> {
  const { settings } = connections;
  const { schema } = settings;
  const [[encoding, exists, ours] = []] = await connections.query(presence(schema));
  assertUtf8(encoding, settings);
  if (ours !== true) {
    if (exists === true) await assertEmpty((statement) => connections.query(statement), settings);
    return 0;
  }
  const [[version] = []] = await connections.query({ text: statementsFor(schema).version });
  return Number(version);
}

function presence(schema: string): Statement {
  return {
    text: `SELECT current_setting('server_encoding'), to_regnamespace($1) IS NOT NULL, to_regclass($2) IS NOT NULL`,
    values: [schema, `${schema}.migrations`],
  };
}

async function assertEmpty(query: (statement: Statement) => Promise<readonly unknown[]>, settings: ConnectionSettings): Promise<void> {
  const found = await query({
    text: 'SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace($1) LIMIT 1',
    values: [settings.schema],
  });
  if (found.length === 0) return;
  throw new StorageError('BadDatabase', `the schema ${settings.schema} of ${describeDatabase(settings)} is not one of ARC`, {
    hint: 'Choose another one with schema=NAME in the URL, or another database.',
  });
}

function assertUtf8(encoding: unknown, settings: ConnectionSettings): void {
  if (encoding === 'UTF8') return;
  throw new StorageError('BadDatabase', `the database ${describeDatabase(settings)} is encoded as ${String(encoding)}, not UTF8`, {
    hint: "Create a database with ENCODING 'UTF8' TEMPLATE template0.",
  });
}

function assertNotNewer(version: number, settings: ConnectionSettings): void {
  if (version <= schemaVersion) return;
  throw new StorageError(
    'BadDatabase',
    `the schema ${settings.schema} of ${describeDatabase(settings)} has version ${version}, written by a newer ARC; this one knows ${schemaVersion}`,
    { hint: 'Use that version of ARC, or restore a backup from before its migration.' },
  );
}
