import { watch } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import type { Clock, Logger } from '@arc/kernel';
import { messageOf } from '@arc/kernel';
import { readLayout, shorten, sizeOf, timesPath } from './log-file.ts';

export interface CollectorOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly headBytes: number;
  readonly tailBytes: number;
  /** Called when the log has grown, and once more when it has ended. */
  readonly grown: () => void;
}

/** How long a burst of writes is gathered, and how often a log is looked at without being told. */
const gatherMs = 20;
const safetyMs = 5000;

/** Accompanies a log while its step runs: notes when it grew and keeps it within its limits. */
export class LogCollector {
  readonly #path: string;
  readonly #options: CollectorOptions;
  readonly #watcher: Disposable;
  #timer: Disposable | undefined;
  #safety: Disposable | undefined;
  #working: Promise<void> = Promise.resolve();
  #noted = -1;
  #closed = false;

  constructor(path: string, options: CollectorOptions) {
    this.#path = path;
    this.#options = options;
    this.#watcher = watchFile(path, () => this.#soon());
    this.#soon();
    this.#watchSafely();
  }

  /** Ends the collection after a last look. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watcher[Symbol.dispose]();
    this.#timer?.[Symbol.dispose]();
    this.#safety?.[Symbol.dispose]();
    this.#look();
    await this.#working;
    this.#options.grown();
  }

  #soon(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = this.#options.clock.after(gatherMs, () => {
      this.#timer = undefined;
      this.#look();
    });
  }

  /** A watch can miss an event; a log must not stay behind for good. */
  #watchSafely(): void {
    if (this.#closed) return;
    this.#safety = this.#options.clock.after(safetyMs, () => {
      this.#look();
      this.#watchSafely();
    });
  }

  #look(): void {
    this.#working = this.#working
      .then(() => this.#note())
      .catch((error: unknown) => {
        this.#options.logger.warn('a log could not be collected', { path: this.#path, error: messageOf(error) });
      });
  }

  async #note(): Promise<void> {
    const size = await sizeOf(this.#path);
    if (size === undefined) return;
    const { tailStart, liveBase } = await readLayout(this.#path);
    const { headBytes, tailBytes } = this.#options;
    const offset = liveBase + size;
    const isNew = offset !== this.#noted;
    this.#noted = offset;
    if (isNew) await appendFile(timesPath(this.#path), `${offset} ${this.#options.clock.now()}\n`, { mode: 0o600 });
    // While it grows, the tail of before and what came since make up the end; of one that has ended no more than that is kept.
    const kept = this.#closed ? offset - tailStart : size;
    if (kept > (liveBase === 0 ? headBytes + tailBytes : tailBytes)) await shorten(this.#path, { headBytes, tailBytes });
    if (isNew) this.#options.grown();
  }
}

/** Out of watches, a host still has the regular look. */
function watchFile(path: string, changed: () => void): Disposable {
  try {
    const watcher = watch(path, { persistent: false }, changed);
    watcher.on('error', () => watcher.close());
    return { [Symbol.dispose]: () => watcher.close() };
  } catch {
    return { [Symbol.dispose]: () => {} };
  }
}
