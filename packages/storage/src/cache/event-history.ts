import { assertNotCompacted } from '../follow-changes.ts';
import type { CacheEvent } from './cache-event.ts';

export interface HistoryLimits {
  /** Events that are kept however old they are. */
  readonly events: number;
  /** Events younger than this, milliseconds, are kept beyond `events`, as long as the two hard limits below allow. */
  readonly ms: number;
}

/** Kubernetes' own ceiling for the window of one resource (wire contract 4.7). */
const maxEvents = 102_400;
const maxHeldBytes = 64 * 1024 * 1024;

/** The recent events of one resource in revision order: what watches resume from and old snapshots are undone with. */
export class EventHistory {
  readonly #limits: HistoryLimits;
  /** Those before `#head` have been forgotten and are no longer held. */
  #events: (CacheEvent | undefined)[] = [];
  #times: number[] = [];
  #head = 0;
  #heldBytes = 0;
  #floor: number;

  /** Complete for everything after revision `floor`. */
  constructor(limits: HistoryLimits, floor: number) {
    this.#limits = limits;
    this.#floor = floor;
  }

  get size(): number {
    return this.#events.length - this.#head;
  }

  /** Bytes of content that nothing but history keeps. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get floor(): number {
    return this.#floor;
  }

  push(event: CacheEvent, now: number): void {
    this.#events.push(event);
    this.#times.push(now);
    this.#heldBytes += event.heldBytes;
    this.#forget(now);
  }

  /** All events with a revision above `after`. @throws StorageError `Compacted` */
  since(after: number): readonly CacheEvent[] {
    assertNotCompacted(after, this.#floor);
    let low = this.#head;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.object.revision ?? 0) <= after) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low) as CacheEvent[];
  }

  #forget(now: number): void {
    for (;;) {
      const count = this.size;
      const event = this.#events[this.#head];
      if (event === undefined) return;
      const aged = count > this.#limits.events && now - (this.#times[this.#head] ?? 0) > this.#limits.ms;
      if (!aged && count <= maxEvents && this.#heldBytes <= maxHeldBytes) break;
      this.#events[this.#head] = undefined;
      this.#head += 1;
      this.#heldBytes -= event.heldBytes;
      this.#floor = event.object.revision;
    }
    if (this.#head < 1024 || this.#head * 2 < this.#events.length) return;
    this.#events = this.#events.slice(this.#head);
    this.#times = this.#times.slice(this.#head);
    this.#head = 0;
  }
}
