import { setTimeout as sleep } from 'node:timers/promises';

/** Microseconds since 1970, comparable between the processes of one machine. */
export function nowMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}

export interface Turn {
  readonly index: number;
  /** `performance.now()` at which what is measured begins. */
  readonly began: number;
}

/**
 * Hands out turns to any number of workers. With a rate, each turn has a time it is due, and a turn that is taken late is
 * measured from when it was due: a server that stalls is not excused from the requests that would have come meanwhile.
 */
export class Turns {
  readonly #started = performance.now();
  readonly #count: number;
  readonly #until: number;
  readonly #intervalMs: number;
  #next = 0;

  constructor({ count = Infinity, durationMs = Infinity, perSecond = 0 }: Pace) {
    this.#count = count;
    this.#until = this.#started + durationMs;
    this.#intervalMs = perSecond === 0 ? 0 : 1000 / perSecond;
  }

  async take(): Promise<Turn | undefined> {
    const index = this.#next++;
    const due = this.#started + index * this.#intervalMs;
    if (index >= this.#count || Math.max(due, performance.now()) >= this.#until) return undefined;
    const now = performance.now();
    if (this.#intervalMs === 0) return { index, began: now };
    if (now >= due) return { index, began: due };
    await sleep(due - now);
    // What a timer is late by is the generator's fault, not the server's.
    return { index, began: performance.now() };
  }
}

export interface Pace {
  readonly count?: number;
  readonly durationMs?: number;
  /** Absent: as fast as the server answers. */
  readonly perSecond?: number;
}
