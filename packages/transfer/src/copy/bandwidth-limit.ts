import type { Clock } from '@arc/kernel';

/** Bytes may be this far ahead of the rate, in milliseconds of it: one burst instead of a wait for each small piece. */
const burstMs = 100;

/** Holds whoever sends to a rate in bytes a second, all who share it together. */
export class BandwidthLimit {
  readonly #bytesPerMs: number;
  readonly #clock: Clock;
  /** When everything that was taken so far will have been due. */
  #paidUntil = Number.NEGATIVE_INFINITY;

  /** `bytesPerSecond` is positive. */
  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#clock = clock;
  }

  /** Resolves when `bytes` more may go; rejects with the reason of the signal. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    const wait = Math.max(this.#paidUntil, now) - now - burstMs;
    this.#paidUntil = Math.max(this.#paidUntil, now) + bytes / this.#bytesPerMs;
    if (wait > 0) await this.#clock.sleep(wait, signal);
  }
}
