import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock, Logger } from '@arc/kernel';
import { ArcError, codeOf, silentLogger, systemClock } from '@arc/kernel';
import { LogCollector } from './log-collector.ts';
import { keptBytes, moveLog, removeLog, sizeOf } from './log-file.ts';
import { readLog } from './read-log.ts';

/** Names the log of one attempt. */
export interface LogRef {
  readonly namespace: string;
  readonly workflow: string;
  readonly pod: string;
}

export interface OpenLogOptions {
  readonly namespace: string;
  readonly pod: string;
  /** The log of the attempt before, when a step was run again after a crash. */
  readonly previous?: boolean;
  /** Goes on until the step has ended. */
  readonly follow?: boolean;
  readonly tailLines?: number;
  /** RFC 3339. */
  readonly sinceTime?: string;
  /** Each line is preceded by the time it was seen. */
  readonly timestamps?: boolean;
  readonly limitBytes?: number;
  readonly signal?: AbortSignal;
}

/** Keeps the logs of all attempts beyond their run. Steps append to plain files, so a log outlives every process. */
export interface LogStore {
  /** Prepares an empty log, keeping the one before, and returns the file the step appends to. */
  begin(ref: LogRef): Promise<string>;
  /** The file of a log, whether it exists or not. */
  pathOf(ref: LogRef): string;
  /** Accompanies a log until `end`. */
  collect(ref: LogRef): void;
  /** Nothing more will be written; those who follow the log get the rest and are done. */
  end(ref: LogRef): Promise<void>;
  /** @throws ArcError `LogNotFound` on first use of the iterator */
  openLog(options: OpenLogOptions): AsyncIterable<Uint8Array>;
  /** Removes what is older or more than is to be kept; never a log that is being written. */
  sweep(): Promise<void>;
}

export interface LogStoreOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Bytes kept of a log's beginning and end. Default 4 MiB each. */
  readonly headBytes?: number;
  readonly tailBytes?: number;
  /** Default: 14 days. */
  readonly maxAgeMs?: number;
  /** Of all logs together. Default 2 GiB. */
  readonly maxTotalBytes?: number;
}

/** Returns a log store in `directory`, laid out as `<namespace>/<workflow>/<pod>.log`. */
export function createLogStore(directory: string, options: LogStoreOptions = {}): LogStore {
  const { clock = systemClock, logger = silentLogger, headBytes = 4 << 20, tailBytes = 4 << 20 } = options;
  const { maxAgeMs = 14 * 86_400_000, maxTotalBytes = 2 * 1024 ** 3 } = options;
  const collectors = new Map<string, LogCollector>();
  const followers = new Map<string, Set<() => void>>();

  const pathOf = ({ namespace, workflow, pod }: LogRef): string => join(directory, namespace, workflow, `${pod}.log`);
  const wake = (path: string): void => {
    for (const follower of followers.get(path) ?? []) follower();
  };

  async function find(namespace: string, pod: string): Promise<string | undefined> {
    const parent = join(directory, namespace);
    const workflows = await readdir(parent).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    });
    const candidates = workflows.filter((workflow) => pod === workflow || pod.startsWith(`${workflow}-`));
    for (const workflow of candidates.sort((a, b) => b.length - a.length)) {
      const path = pathOf({ namespace, workflow, pod });
      if ((await sizeOf(path)) !== undefined) return path;
    }
    return undefined;
  }

  async function* openLog(request: OpenLogOptions): AsyncIterable<Uint8Array> {
    const { namespace, pod, previous = false, follow = false, tailLines, timestamps, signal } = request;
    const current = await find(namespace, pod);
    const path = current === undefined || !previous ? current : previousOf(current);
    if (path === undefined || (await sizeOf(path)) === undefined) {
      throw new ArcError(
        'LogNotFound',
        `there is no ${previous ? 'previous ' : ''}log of pod ${JSON.stringify(pod)} in namespace ${JSON.stringify(namespace)}`,
      );
    }
    const sinceTime = request.sinceTime === undefined ? undefined : Date.parse(request.sinceTime);
    const filter = {
      ...(sinceTime !== undefined && !Number.isNaN(sinceTime) && { sinceTime }),
      ...(timestamps !== undefined && { timestamps }),
    };
    let left = request.limitBytes ?? Number.POSITIVE_INFINITY;
    let grown = Promise.withResolvers<void>();
    const wakeUp = (): void => grown.resolve();
    const waiting = followers.get(path) ?? new Set();
    followers.set(path, waiting.add(wakeUp));
    signal?.addEventListener('abort', wakeUp, { once: true });
    try {
      let position = 0;
      for (let first = true; signal?.aborted !== true; first = false) {
        const running = follow && collectors.has(path);
        const content = await readLog(path, { ...filter, ...(first && tailLines !== undefined && { tailLines }) }, position, {
          wholeLines: running,
        });
        position = content.end;
        const bytes = content.bytes.length > left ? content.bytes.subarray(0, left) : content.bytes;
        left -= bytes.length;
        if (bytes.length > 0) yield bytes;
        if (!running || left <= 0) return;
        await grown.promise;
        grown = Promise.withResolvers();
      }
    } finally {
      waiting.delete(wakeUp);
      if (waiting.size === 0) followers.delete(path);
      signal?.removeEventListener('abort', wakeUp);
    }
  }

  async function sweep(): Promise<void> {
    const kept: { readonly path: string; readonly bytes: number; readonly changed: number }[] = [];
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || !entry.name.endsWith('.log') || collectors.has(path)) continue;
      const { mtimeMs } = await stat(path);
      if (clock.now() - mtimeMs > maxAgeMs) await removeLog(path);
      else kept.push({ path, bytes: await keptBytes(path), changed: mtimeMs });
    }
    let total = kept.reduce((sum, log) => sum + log.bytes, 0);
    for (const log of kept.sort((a, b) => a.changed - b.changed)) {
      if (total <= maxTotalBytes) break;
      await removeLog(log.path);
      total -= log.bytes;
    }
    await removeEmptyDirectories(directory);
  }

  return {
    pathOf,
    async begin(ref) {
      const path = pathOf(ref);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      if ((await sizeOf(path)) !== undefined) {
        await removeLog(previousOf(path));
        await moveLog(path, previousOf(path));
      }
      return path;
    },
    collect(ref) {
      const path = pathOf(ref);
      if (collectors.has(path)) return;
      collectors.set(path, new LogCollector(path, { clock, logger, headBytes, tailBytes, grown: () => wake(path) }));
    },
    async end(ref) {
      const path = pathOf(ref);
      const collector = collectors.get(path);
      if (collector === undefined) return;
      await collector.close();
      collectors.delete(path);
      wake(path);
    },
    openLog,
    sweep,
  };
}

function previousOf(path: string): string {
  return path.replace(/\.log$/, '.previous.log');
}

async function removeEmptyDirectories(directory: string): Promise<void> {
  const namespaces = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const namespace of namespaces.filter((entry) => entry.isDirectory())) {
    for (const workflow of await readdir(join(directory, namespace.name))) {
      const path = join(directory, namespace.name, workflow);
      if ((await readdir(path)).length === 0) await rm(path, { recursive: true, force: true });
    }
  }
}
