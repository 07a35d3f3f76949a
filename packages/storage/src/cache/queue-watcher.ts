import { StorageError } from '../storage-error.ts';
import type { CacheEvent } from './cache-event.ts';
import type { CacheWatchOptions, Delivery, ObjectFilter, Watcher } from './contract.ts';
import { picksOf } from './selection.ts';

const defaultMaxQueued = 1000;

export interface QueueWatcherOptions extends CacheWatchOptions {
  /** Called once, when the watcher has ended for whatever reason. */
  readonly onEnd: (watcher: QueueWatcher, failure: StorageError | undefined) => void;
  /** Asks the cache to call `reportProgress` soon, after the events applied so far. */
  readonly wantProgress: (watcher: QueueWatcher) => void;
}

/** A watcher with a bounded queue of deliveries; it never slows down whoever fills it. */
export class QueueWatcher implements Watcher {
  readonly #options: QueueWatcherOptions;
  readonly #maxQueued: number;
  readonly #picks: ObjectFilter | undefined;
  /** Events up to this revision have been queued or were not asked for. */
  #seen: number;
  #queue: Delivery[] = [];
  #ended = false;
  #failure: StorageError | undefined;
  #wake: (() => void) | undefined;

  constructor(options: QueueWatcherOptions) {
    this.#options = options;
    this.#maxQueued = options.maxQueued ?? defaultMaxQueued;
    this.#picks = picksOf(options);
    this.#seen = options.after;
  }

  /** Queues what of `events` (in revision order) concerns this watcher, as one delivery safe to resume from at `revision`. */
  offer(events: readonly CacheEvent[], revision: number): void {
    const { namespace = '' } = this.#options;
    const seen: CacheEvent[] = [];
    for (const event of events) {
      if (event.object.revision <= this.#seen) continue;
      if (namespace !== '' && event.object.namespace !== namespace) continue;
      const visible = event.seenThrough(this.#picks);
      if (visible !== undefined) seen.push(visible);
    }
    this.#seen = Math.max(this.#seen, revision);
    if (seen.length > 0) this.#enqueue({ revision: this.#seen, events: seen });
  }

  /** Queues an empty delivery that is safe to resume from at `revision`: all events up to there have been offered. */
  reportProgress(revision: number): void {
    this.#seen = Math.max(this.#seen, revision);
    this.#enqueue({ revision: this.#seen, events: [] });
  }

  requestProgress(): void {
    if (!this.#ended) this.#options.wantProgress(this);
  }

  /** Ends the watcher; its reader gets `failure`. What is still queued is dropped: the reader resumes elsewhere. */
  fail(failure: StorageError): void {
    if (this.#ended) return;
    this.#failure = failure;
    this[Symbol.dispose]();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Delivery, void, void> {
    try {
      while (!this.#ended) {
        const delivery = this.#queue.shift();
        if (delivery !== undefined) yield delivery;
        else await this.#nextChange();
      }
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#queue = [];
    this.#wake?.();
    this.#options.onEnd(this, this.#failure);
  }

  #enqueue(delivery: Delivery): void {
    if (this.#ended) return;
    if (this.#queue.length >= this.#maxQueued) {
      this.fail(
        new StorageError('SlowWatcher', `a watcher left ${this.#queue.length} deliveries waiting and was closed`, {
          hint: 'Watch again from the last revision received.',
        }),
      );
      return;
    }
    this.#queue.push(delivery);
    this.#wake?.();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
