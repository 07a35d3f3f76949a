import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './errors.ts';

/**
 * Makes the directory and those above it that are missing, for their owner only; one that is there stays as it is. Not by
 * mkdir's own recursion: below a file system that refuses new entries with ENOENT, as /proc does, that never ends.
 *
 * @throws what the file system says
 */
export function makePrivateDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (isDirectory(path)) return;
    const above = dirname(path);
    if (codeOf(error) !== 'ENOENT' || above === path || isDirectory(above)) throw error;
    makePrivateDirectory(above);
    makePrivateDirectory(path);
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
