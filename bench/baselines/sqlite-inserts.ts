import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { RawWrites } from './raw-writes.ts';

/** Rows inserted in durable transactions of as many as there are writers. */
export async function openSqliteInserts(value: Buffer): Promise<RawWrites> {
  const folder = await mkdtemp(join(tmpdir(), 'arc-bench-'));
  const database = new DatabaseSync(join(folder, 'raw.db'));
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE raw (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID');
  const statement = database.prepare('INSERT INTO raw VALUES (?, ?)');
  let rows = 0;
  return {
    name: 'raw inserts, a transaction of as many rows as writers',
    insert: async (durationMs, together) => {
      const [started, before] = [performance.now(), rows];
      while (performance.now() - started < durationMs) {
        database.exec('BEGIN');
        for (let index = 0; index < together; index += 1) statement.run(`key-${String(rows++).padStart(9, '0')}`, value);
        database.exec('COMMIT');
      }
      return ((rows - before) / (performance.now() - started)) * 1000;
    },
    [Symbol.asyncDispose]: async () => {
      database.close();
      await rm(folder, { recursive: true });
    },
  };
}
