import { StorageError } from '../storage-error.ts';
import type { CacheEvent } from './cache-event.ts';
import type { CacheWatchOptions, Delivery, ObjectFilter, Watcher } from './contract.ts';
import { picksOf } from './selection.ts';

const defaultMaxQueued = 10_000;

export interface QueueWatcherOptions extends CacheWatchOptions {
  /** Called once, when the watcher has ended for whatever reason. */
  readonly onEnd: (watcher: QueueWatcher, failure: StorageError | undefined) => void;
  /** Asks the cache to call `reportProgress` soon, after the events applied so far. */
  readonly wantProgress: (watcher: QueueWatcher) => void;
}

/** A watcher with a bounded number of waiting events; it never slows down whoever brings them. */
export class QueueWatcher implements Watcher {
  readonly #options: QueueWatcherOptions;
  readonly #maxQueued: number;
  readonly #picks: ObjectFilter | undefined;
  /** Events up to this revision have been queued or were not asked for. */
  #seen: number;
  #waiting: CacheEvent[] = [];
  #progressDue = false;
  #ended = false;
  #failure: StorageError | undefined;
  #ready: () => void = () => {};

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
    if (seen.length > 0) this.#enqueue(seen);
  }

  /** Queues an empty delivery that is safe to resume from at `revision`: all events up to there have been offered. */
  reportProgress(revision: number): void {
    if (this.#ended) return;
    this.#seen = Math.max(this.#seen, revision);
    this.#progressDue = true;
    this.#ready();
  }

  get ended(): boolean {
    return this.#ended;
  }

  take(): Delivery | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#waiting.length > 0) {
      const events = this.#waiting;
      this.#waiting = [];
      return { revision: this.#seen, events };
    }
    if (!this.#progressDue) return undefined;
    this.#progressDue = false;
    return { revision: this.#seen, events: [] };
  }

  onReady(ready: () => void): void {
    this.#ready = ready;
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
    let wake = Promise.withResolvers<void>();
    this.onReady(() => wake.resolve());
    try {
      for (;;) {
        const delivery = this.take();
        if (delivery !== undefined) yield delivery;
        else if (this.#ended) return;
        else await wake.promise;
        wake = Promise.withResolvers();
      }
    } finally {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    this.#progressDue = false;
    this.#options.onEnd(this, this.#failure);
    this.#ready();
  }

  #enqueue(events: CacheEvent[]): void {
    if (this.#ended) return;
    if (this.#waiting.length >= this.#maxQueued) {
      this.fail(
        new StorageError('SlowWatcher', `a watcher left ${this.#waiting.length} events waiting and was closed`, {
          hint: 'Watch again from the last revision received.',
        }),
      );
      return;
    }
    if (this.#waiting.length === 0) this.#waiting = events;
    else for (const event of events) this.#waiting.push(event);
    this.#ready();
  }
}
