import { existsSync, realpathSync } from 'node:fs';
import { StorageError } from '@arc/storage';
import { failureOf, isBusy } from './failure.ts';
import { createPrivately } from './private-file.ts';
import { assertOnlyName } from './only-name.ts';
import { DatabaseSync } from './sqlite.ts';

/**
 * Takes a file for this process by an exclusive transaction on it, until disposed; the kernel frees it when the process
 * ends, however that happens. The file is made when it does not exist, is never removed, and holds nothing else.
 *
 * @param what named in the message: `what` is in use by another process
 * @throws StorageError `Locked` when another process, or another lock of this one, has it; `BadDatabase` or `Unavailable` when
 *   the file cannot be used
 */
export function lockExclusively(file: string, what: string): Disposable {
  let lock: DatabaseSync | undefined;
  try {
    createPrivately(file);
    lock = new DatabaseSync(file, { timeout: 0 });
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    lock?.close();
    if (isBusy(error)) {
      throw new StorageError('Locked', `${what} is in use by another process`, {
        cause: error,
        hint: `Stop the other process, or choose another data directory. The lock is on ${file} and ends with the process; do not delete the file.`,
      });
    }
    const { code, message, hint } = failureOf(error, file);
    throw new StorageError(code, message, { cause: error, ...(hint !== undefined && { hint }) });
  }
  const held = lock;
  return { [Symbol.dispose]: () => held.close() };
}

/**
 * Whether a process has a database file open as a store, or fills it. Looks without keeping anybody out for longer than
 * that takes.
 */
export function isInUse(file: string): boolean {
  const lockFile = `${realpathSync(file)}.lock`;
  if (!existsSync(lockFile)) return false;
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(lockFile, { timeout: 0, readOnly: true });
    lock.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    lock?.close();
  }
}

/**
 * Takes an existing database file for this process, as a store does that has it open.
 *
 * @throws StorageError `Locked`, `BadDatabase`, `Unavailable`
 */
export function lockDatabase(file: string): Disposable {
  const path = realpathSync(file);
  assertOnlyName(file, path);
  return lockExclusively(`${path}.lock`, `the database ${file}`);
}
