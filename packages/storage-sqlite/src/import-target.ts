import {
  encodePlan,
  pagesOf,
  type ImportPlan,
  type ImportState,
  type ImportResult,
  type ImportTarget,
  type StoredValue,
} from '@arc/storage';
import { lockDatabase } from './exclusive-lock.ts';
import { classified, openForWriting, scalar, unfinishedPlan } from './open-database.ts';
import { createPrivately } from './private-file.ts';
import { readRange } from './read-range.ts';
import { statements } from './schema.ts';
import type { DatabaseSync } from './sqlite.ts';
import { turn } from './turn.ts';

/**
 * Opens an SQLite file to be filled, making it when it does not exist. It works in the calling thread, and keeps other
 * processes out.
 *
 * @throws StorageError `Locked`, `BadDatabase`, `Unavailable`
 */
export function openSqliteImport({ file }: { readonly file: string }): ImportTarget {
  return classified(file, () => {
    createPrivately(file);
    const lock = lockDatabase(file);
    try {
      return new SqliteImport(file, openForWriting(file), lock);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  });
}

class SqliteImport implements ImportTarget {
  readonly keepsRevisions = true;
  readonly #file: string;
  readonly #db: DatabaseSync;
  readonly #lock: Disposable;

  constructor(file: string, db: DatabaseSync, lock: Disposable) {
    this.#file = file;
    this.#db = db;
    this.#lock = lock;
  }

  async state(): Promise<ImportState> {
    return classified(this.#file, () => ({
      objects: scalar(this.#db.prepare('SELECT count(*) FROM live')),
      unfinished: unfinishedPlan(this.#db),
    }));
  }

  async begin(plan: ImportPlan): Promise<void> {
    this.#transaction(() => {
      this.#db.exec('CREATE TABLE IF NOT EXISTS import (plan TEXT NOT NULL) STRICT; DELETE FROM import; DELETE FROM live');
      this.#db.prepare('INSERT INTO import (plan) VALUES (?)').run(encodePlan(plan));
    });
  }

  async write(values: readonly StoredValue[]): Promise<void> {
    this.#transaction(() => {
      const insert = this.#db.prepare('INSERT INTO live (key, revision, value) VALUES (?, ?, ?)');
      for (const { key, revision, value } of values) insert.run(key, revision, value);
    });
  }

  objects(signal: AbortSignal): AsyncIterable<readonly StoredValue[]> {
    return pagesOf(async (page) => {
      await turn(signal);
      return classified(this.#file, () => readRange(this.#db, page));
    });
  }

  async finish(revision: number): Promise<ImportResult> {
    return this.#transaction(() => {
      const before = scalar(this.#db.prepare(statements.selectNewest));
      const newest = Math.max(revision, before === 0 ? 0 : before + 1);
      this.#db.exec('DELETE FROM log; DROP TABLE import');
      // Compaction keeps the log's newest row, which numbers the next write; nobody is told of this one.
      if (newest > 0) this.#db.prepare(statements.insertLog).run(newest, '', null, 0, null);
      this.#db.prepare(statements.updateMeta).run(newest, 'compacted');
      return { revision: newest, compactedRevision: newest };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#db.isOpen) this.#db.close();
    this.#lock[Symbol.dispose]();
  }

  #transaction<T>(work: () => T): T {
    return classified(this.#file, () => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#db.exec('COMMIT');
        return result;
      } finally {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      }
    });
  }
}
