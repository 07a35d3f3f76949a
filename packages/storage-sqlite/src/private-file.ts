import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, makePrivateDirectory } from '@arc/kernel';

/** Makes the file readable by its owner only, since it holds Secrets; SQLite gives its -wal and -shm the same mode. */
export function createPrivately(file: string): void {
  makePrivateDirectory(dirname(file));
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    // Opening and closing one that exists would drop the POSIX locks this process holds on it.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}
