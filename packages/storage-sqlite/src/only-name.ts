import { readFileSync, statSync } from 'node:fs';
import { StorageError } from '@arc/storage';

/**
 * Refuses a file that can be reached by a second name which is no symbolic link. SQLite keeps a database's log beside it under
 * its name, and this package the lock: by two names a database has two of each, and is damaged
 * (sqlite.org/howtocorrupt.html, "Multiple links to the same file").
 *
 * @param path of `file`, without symbolic links.
 * @throws StorageError `BadDatabase` for a file with hard links, or, on Linux, one that is mounted alone
 */
export function assertOnlyName(file: string, path: string): void {
  const stats = statSync(path);
  if (stats.isFile() && stats.nlink > 1) {
    throw new StorageError('BadDatabase', `the database ${file} has hard links: by each of them another server could damage it`, {
      hint: 'Keep the name that has a -wal file beside it, or the older one, and remove the others; find -samefile lists them.',
    });
  }
  if (isMountPoint(path)) {
    throw new StorageError(
      'BadDatabase',
      `the database ${file} is mounted as a single file: what belongs to it is beside it and would be left behind`,
      {
        hint: 'Mount the directory of the file instead.',
      },
    );
  }
}

/** By mountinfo's fifth column (proc_pid_mountinfo(5)), where spaces and the like are octal. */
function isMountPoint(path: string): boolean {
  try {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return mounts.some((mount) => mount.split(' ')[4]?.replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8))) === path);
  } catch {
    return false;
  }
}
