import type { Clock } from '@arc/kernel';
import type { BlobProgress, CopyEvent } from './copy-events.ts';

/** How far a copy is. */
interface ProgressRecord {
  readonly event: 'progress';
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Over the last seconds; null until two moments are known. */
  readonly bytesPerSecond: number | null;
  /** Milliseconds it takes at this rate; null when that is not known. */
  readonly remainingMs: number | null;
  readonly layers: readonly BlobProgress[];
}

/** An event of a copy as a JSON object. */
type CopyRecord = ProgressRecord | ({ readonly event: string } & Readonly<Record<string, unknown>>);

const windowMs = 5000;

/** Turns the events of a copy into records for programs: progress at most as often as `intervalMs` says, and once at its end. */
export class ProgressRecorder {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  /** Bytes done at moments of the last seconds, the oldest first. */
  readonly #seen: { readonly at: number; readonly doneBytes: number }[] = [];
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, intervalMs = 500) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** Undefined when it is too early for another report of progress. */
  record(event: CopyEvent): CopyRecord | undefined {
    if (event.kind !== 'progress') {
      const { kind, ...rest } = event;
      return { event: kind, ...rest };
    }
    const now = this.#clock.now();
    const { doneBytes, totalBytes, blobs } = event;
    if (now - this.#saidAt < this.#intervalMs && doneBytes < totalBytes) return undefined;
    this.#saidAt = now;
    const bytesPerSecond = this.#rate(now, doneBytes);
    const left = Math.max(0, totalBytes - doneBytes);
    const remainingMs =
      left === 0 ? 0 : bytesPerSecond === null || bytesPerSecond === 0 ? null : Math.round((left * 1000) / bytesPerSecond);
    return { event: 'progress', doneBytes, totalBytes, bytesPerSecond, remainingMs, layers: blobs };
  }

  #rate(now: number, doneBytes: number): number | null {
    this.#seen.push({ at: now, doneBytes });
    for (let second = this.#seen[1]; second !== undefined && now - second.at >= windowMs; second = this.#seen[1]) this.#seen.shift();
    const [oldest] = this.#seen;
    // A blob that is sent anew takes back what it had counted.
    if (oldest === undefined || now === oldest.at || doneBytes < oldest.doneBytes) return null;
    return Math.round(((doneBytes - oldest.doneBytes) * 1000) / (now - oldest.at));
  }
}
