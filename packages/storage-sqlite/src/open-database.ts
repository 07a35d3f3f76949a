import { existsSync } from 'node:fs';
import { decodePlan, StorageError, unfinishedImport, type ImportPlan } from '@arc/storage';
import { DatabaseFailure, failureOf } from './failure.ts';
import type { DatabaseOptions } from './protocol.ts';
import { applicationId, createSchema, schemaVersion, statements } from './schema.ts';
import { DatabaseSync, type SQLInputValue, type StatementSync } from './sqlite.ts';

/** Opens the file for a store, making the tables when it is new. */
export function openDatabase({ file, maxBytes }: DatabaseOptions): DatabaseSync {
  const db = openForWriting(file);
  try {
    assertFinished(db, file);
    if (maxBytes !== undefined) db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pragma(db, 'page_size')))}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** As `openDatabase`, but whether it was filled completely does not matter. */
export function openForWriting(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 2000 });
  try {
    const isNew = pragma(db, 'application_id') === 0 && scalar(db.prepare('SELECT count(*) FROM sqlite_schema')) === 0;
    if (!isNew) assertOurs(db, file);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384');
    if (isNew) db.exec(`BEGIN IMMEDIATE; ${createSchema} COMMIT`);
    assertKnownSchema(db, file);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Opens the file for reading, also while another process writes it. */
export function openForReading(file: string): DatabaseSync {
  if (!existsSync(file))
    throw new DatabaseFailure({
      code: 'Unavailable',
      message: `there is no database ${file}`,
      hint: 'Check the path: arcctl up keeps it as arc.db in its data directory.',
    });
  const db = new DatabaseSync(file, { timeout: 2000, readOnly: true });
  try {
    assertOurs(db, file);
    assertKnownSchema(db, file);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** What is being filled in, if anything is. */
export function unfinishedPlan(db: DatabaseSync): ImportPlan | undefined {
  if (scalar(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'import'")) === 0) return undefined;
  const row = db.prepare('SELECT plan FROM import').get();
  return row === undefined ? undefined : decodePlan(String(row['plan']));
}

/** @throws StorageError `BadDatabase` */
export function assertFinished(db: DatabaseSync, file: string): void {
  const unfinished = unfinishedPlan(db);
  if (unfinished !== undefined) throw unfinishedImport(`the database ${file}`, unfinished);
}

/** Runs work on the database in the calling thread; what it throws is thrown as a StorageError. */
export function classified<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code, message, hint } = failureOf(error, file);
    throw new StorageError(code, message, { cause: error, ...(hint !== undefined && { hint }) });
  }
}

function pragma(db: DatabaseSync, name: string): number {
  return scalar(db.prepare(`PRAGMA ${name}`));
}

export function scalar(statement: StatementSync, ...parameters: SQLInputValue[]): number {
  return Number(Object.values(statement.get(...parameters) ?? {})[0]);
}

function assertOurs(db: DatabaseSync, file: string): void {
  if (pragma(db, 'application_id') === applicationId) return;
  throw badDatabase(file, 'is an SQLite database, but not one of ARC', 'Choose another file or data directory.');
}

function assertKnownSchema(db: DatabaseSync, file: string): void {
  const version = scalar(db.prepare(statements.selectMeta), 'schema');
  if (version <= schemaVersion) return;
  throw badDatabase(file, `has schema ${version}, but this ARC knows ${schemaVersion} at most`, 'Run the newer ARC that wrote it.');
}

function badDatabase(file: string, what: string, hint: string): DatabaseFailure {
  return new DatabaseFailure({ code: 'BadDatabase', message: `the database ${file} ${what}`, hint });
}
