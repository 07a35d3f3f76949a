import { pagesOf, type StoreSnapshot } from '@arc/storage';
import { assertFinished, classified, openForReading, scalar } from './open-database.ts';
import { readRange } from './read-range.ts';
import { statements } from './schema.ts';
import { turn } from './turn.ts';

/**
 * The state of an SQLite file as of now, read in the calling thread and in one transaction, whatever a server writes to it
 * meanwhile. That server's write-ahead log grows until this is disposed of.
 *
 * @throws StorageError `BadDatabase`, `Unavailable`
 */
export function openSqliteSnapshot({ file }: { readonly file: string }): StoreSnapshot & Disposable {
  return classified(file, () => {
    const db = openForReading(file);
    try {
      assertFinished(db, file);
      db.exec('BEGIN');
      return {
        // The first read of the transaction is what it is a snapshot of.
        revision: scalar(db.prepare(statements.selectNewest)),
        compactedRevision: scalar(db.prepare(statements.selectMeta), 'compacted'),
        objects: (signal) =>
          pagesOf(async (page) => {
            await turn(signal);
            return classified(file, () => readRange(db, page));
          }),
        [Symbol.dispose]: () => db.close(),
      };
    } catch (error) {
      db.close();
      throw error;
    }
  });
}
