import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, join } from 'node:path';

/** The full path of a program on the PATH, or undefined. */
export function findProgram(name: string, path = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((candidate) => existsSync(candidate));
}

/** What a `build.sh` below `test/tools` has put into the cache, by its path there. */
export function findBuilt(path: string): string | undefined {
  const built = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'artifact-conduit', path);
  return existsSync(built) ? built : undefined;
}

/** A program on the PATH, or as `test/tools` builds it: by its path in the cache, whose last part is its name. */
export function findTool(path: string): string | undefined {
  return findProgram(basename(path)) ?? findBuilt(path);
}
