import { statSync } from 'node:fs';
import { ResourceCounts, type Finding } from '@arc/storage';
import { isInUse } from './exclusive-lock.ts';
import { classified, openForReading, scalar, unfinishedPlan } from './open-database.ts';
import { statements } from './schema.ts';
import type { DatabaseSync } from './sqlite.ts';

/** What a file holds, for people who run it. */
export interface SqliteStatus {
  readonly revision: number;
  readonly compactedRevision: number;
  readonly objects: number;
  /** Objects by resource, as in `orders.arc.opendefense.cloud`. */
  readonly resources: Readonly<Record<string, number>>;
  readonly changes: number;
  /** Of the file and its write-ahead log. */
  readonly bytes: number;
  /** Whether a process has it open. */
  readonly inUse: boolean;
  /** The command that goes on with a copy into it that has not been finished. */
  readonly unfinished: string | undefined;
}

/**
 * Looks at a file, also while a server has it open.
 *
 * @throws StorageError `BadDatabase`, `Unavailable`
 */
export function inspectSqlite(file: string): SqliteStatus {
  return reading(file, (db) => ({
    unfinished: unfinishedPlan(db)?.command,
    inUse: isInUse(file),
    revision: scalar(db.prepare(statements.selectNewest)),
    compactedRevision: scalar(db.prepare(statements.selectMeta), 'compacted'),
    objects: scalar(db.prepare('SELECT count(*) FROM live')),
    changes: scalar(db.prepare('SELECT count(*) FROM log')),
    resources: resourcesIn(db),
    bytes: sizeOf(file) + sizeOf(`${file}-wal`),
  }));
}

function resourcesIn(db: DatabaseSync): Readonly<Record<string, number>> {
  const counts = new ResourceCounts();
  for (const { key } of db.prepare('SELECT key FROM live').iterate()) counts.add(String(key));
  return counts.toRecord();
}

const mostComplaints = 20;

/**
 * Looks for damage in a file, also while a server has it open: SQLite's own check of its pages and indexes, and whether
 * objects and log go together.
 *
 * @throws StorageError `BadDatabase`, `Unavailable`
 */
export function diagnoseSqlite(file: string): readonly Finding[] {
  return reading(file, (db) => [
    ...db
      .prepare(`PRAGMA integrity_check(${mostComplaints})`)
      .all()
      .map((row) => String(row['integrity_check']))
      .filter((complaint) => complaint !== 'ok')
      .map((complaint) => problem('integrity', complaint)),
    ...db
      .prepare(contradictions)
      .all(mostComplaints)
      .map((row) => ({ ...problem('log', 'it is not what the newest change in the log made'), key: String(row['key']) })),
    ...db
      .prepare('SELECT key, revision FROM live WHERE revision > (SELECT coalesce(max(revision), 0) FROM log) LIMIT ?')
      .all(mostComplaints)
      .map(({ key, revision }) => ({
        ...problem('log', 'it is newer than the newest change in the log'),
        key: String(key),
        revision: Number(revision),
      })),
  ]);
}

/** Keys whose newest change in the log is not what is live. The row that only numbers writes has no key. */
const contradictions = `SELECT newest.key AS key FROM (SELECT key, max(revision) AS revision FROM log WHERE key <> '' GROUP BY key) newest
  JOIN log ON log.revision = newest.revision LEFT JOIN live ON live.key = newest.key
  WHERE CASE WHEN log.value IS NULL THEN live.key IS NOT NULL ELSE live.revision IS NOT log.revision OR live.value IS NOT log.value END
  LIMIT ?`;

function problem(check: string, message: string): Finding {
  return { severity: 'problem', check, message, hint: 'Stop the server, keep a copy of the file as it is, and restore a backup.' };
}

function reading<T>(file: string, work: (db: DatabaseSync) => T): T {
  return classified(file, () => {
    const db = openForReading(file);
    try {
      db.exec('BEGIN');
      return work(db);
    } finally {
      db.close();
    }
  });
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
