import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, type Logger, messageOf, silentLogger, systemClock } from '@arc/kernel';

/** What some files say, as they are now. */
export interface Followed<T> extends Disposable {
  /** The newest value that could be read. */
  current(): T;
  /** Calls the listener with each new value until it is disposed. */
  onChange(listener: (value: T) => void): Disposable;
  /** Looks now. Resolves when what is found is in force; never rejects. */
  check(): Promise<void>;
}

export interface FollowFilesOptions<T> {
  /** Names what is in the files, in logs. */
  readonly what: string;
  /** Makes the value of the texts of the files, in their order; throws when they are no good, or do not fit together. */
  read(texts: readonly string[]): T;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** Some file systems tell of no changes: then these are found by looking. */
const pollMs = 60_000;
/** Files that belong together are written one after the other. */
const settleMs = 200;

/**
 * Reads files, and reads them again when they change: within a moment where the file system tells of it, within a minute
 * otherwise. A change that cannot be used is logged, and what was read before stays in force.
 *
 * @throws what `read` throws, or the error of the file system, the first time
 */
export async function followFiles<T>(files: readonly string[], options: FollowFilesOptions<T>): Promise<Followed<T>> {
  const { what, read, clock = systemClock, logger = silentLogger } = options;
  const readAll = (): Promise<string[]> => Promise.all(files.map((file) => readFile(file, 'utf8')));
  let texts = await readAll();
  let value = read(texts);
  let problem = '';
  const listeners = new Set<(value: T) => void>();

  const look = async (): Promise<void> => {
    try {
      const found = await readAll();
      if (found.every((text, at) => text === texts[at])) {
        problem = '';
        return;
      }
      const next = read(found);
      texts = found;
      value = next;
      problem = '';
      logger.info(`${what}: read again`, { files });
      for (const listener of listeners) listener(next);
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== problem) logger.error(`${what}: cannot be used, what was there before stays in force`, { files, reason });
      problem = reason;
    }
  };
  let looking = Promise.resolve();
  const check = (): Promise<void> => (looking = looking.then(look));

  using resources = new DisposableStack();
  let settling: Disposable | undefined;
  const told = (): void => {
    settling?.[Symbol.dispose]();
    settling = clock.after(settleMs, () => void check());
  };
  resources.defer(() => settling?.[Symbol.dispose]());
  // Folders, not files: files are replaced, and those of a mounted Secret change by a link beside them.
  for (const folder of new Set(files.map((file) => dirname(file)))) resources.use(watchFolder(folder, told));
  let polling: Disposable | undefined;
  const poll = (): void => {
    polling = clock.after(pollMs, () => {
      void check();
      poll();
    });
  };
  poll();
  resources.defer(() => polling?.[Symbol.dispose]());
  resources.defer(() => listeners.clear());
  const all = resources.move();
  return {
    current: () => value,
    onChange: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    check,
    [Symbol.dispose]: () => all.dispose(),
  };
}

/** Without it changes are found by looking. */
function watchFolder(folder: string, changed: () => void): Disposable {
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(folder, { persistent: false }, changed);
    watcher.on('error', () => watcher?.close());
  } catch {
    watcher = undefined;
  }
  return { [Symbol.dispose]: () => watcher?.close() };
}
