import { writeFileSync } from 'node:fs';
import type { Clock } from '@arc/kernel';

const intervalMs = 250;

/**
 * Writes `done/total` in bytes where Argo's executor, and ARC's, look for it: at most four times a second, and the last
 * value always. A file that cannot be written is given up silently: progress is a courtesy.
 */
export class ProgressFile {
  readonly #path: string | undefined;
  readonly #clock: Clock;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #latest = '';
  #written = '';
  #broken = false;

  constructor(path: string | undefined, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  update(doneBytes: number, totalBytes: number): void {
    // Argo refuses a total of 0 and a part beyond the whole.
    if (totalBytes <= 0) return;
    this.#latest = `${Math.min(doneBytes, totalBytes)}/${totalBytes}`;
    if (this.#clock.now() - this.#writtenAt >= intervalMs) this.flush();
  }

  flush(): void {
    if (this.#path === undefined || this.#broken || this.#latest === this.#written) return;
    try {
      writeFileSync(this.#path, this.#latest);
      this.#written = this.#latest;
      this.#writtenAt = this.#clock.now();
    } catch {
      this.#broken = true;
    }
  }
}
