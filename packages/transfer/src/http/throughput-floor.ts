import { TransferError } from '../transfer-error.ts';

/** The least a body must move: `bytesPerSecond` on average over each `windowMs` spent waiting for the other side. */
export interface MinThroughput {
  readonly bytesPerSecond: number;
  readonly windowMs: number;
}

/**
 * Ends a body that trickles: never idle long enough to time out, never fast enough to end. Only time spent waiting for the
 * other side counts, so whoever is held up by us (a bandwidth cap, a slow destination) is not blamed.
 */
export class ThroughputFloor {
  readonly #rule: MinThroughput;
  readonly #doing: string;
  #waitedMs = 0;
  #bytes = 0;

  constructor(rule: MinThroughput, doing: string) {
    this.#rule = rule;
    this.#doing = doing;
  }

  moved(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Counts a wait; returns the error to end with when a whole window was too slow. */
  waited(ms: number): TransferError | undefined {
    this.#waitedMs += ms;
    const { bytesPerSecond, windowMs } = this.#rule;
    if (this.#waitedMs < windowMs) return undefined;
    const rate = (this.#bytes * 1000) / this.#waitedMs;
    this.#waitedMs = 0;
    this.#bytes = 0;
    if (rate >= bytesPerSecond) return undefined;
    return new TransferError('Timeout', `${this.#doing} is too slow: ${Math.round(rate)} bytes/s, less than ${bytesPerSecond}`, {
      retryable: true,
      hint: 'Check the network, or lower the minimum throughput.',
    });
  }
}
