import type { Clock } from '@arc/kernel';
import { backoffDelay, systemClock } from '@arc/kernel';
import type { ReconcileRequest } from './reconcile.ts';

export interface WorkQueueOptions {
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Delay before the first retry of a request. Default 5 ms, as in client-go. */
  readonly initialDelayMs?: number;
  /** Longest delay between two retries. Default 5 minutes. */
  readonly maxDelayMs?: number;
}

interface Item {
  readonly request: ReconcileRequest;
  /** Waiting for a worker, or to be put back when the present one is done. */
  dirty: boolean;
  processing: boolean;
  failures: number;
  delayed: { readonly due: number; readonly timer: Disposable } | undefined;
}

/**
 * Requests waiting for workers, with the semantics of client-go's queue: a request that is waiting is not added twice;
 * one added while it is being worked on is handed out again afterwards, never at the same time; order is first come,
 * first served. Every request taken must be given back with `done`.
 */
export class WorkQueue implements Disposable {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #initialDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #items = new Map<string, Item>();
  /** In order of arrival; a Set keeps insertion order and lets the first be removed in constant time. */
  readonly #waiting = new Set<Item>();
  readonly #takers = new Set<(request: ReconcileRequest | undefined) => void>();
  #closed = false;

  constructor(options: WorkQueueOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#initialDelayMs = options.initialDelayMs ?? 5;
    this.#maxDelayMs = options.maxDelayMs ?? 300_000;
  }

  /** Requests waiting for a worker. */
  get depth(): number {
    return this.#waiting.size;
  }

  add(request: ReconcileRequest): void {
    if (this.#closed) return;
    const item = this.#item(request);
    if (item.dirty) return;
    item.dirty = true;
    if (item.processing) return;
    this.#waiting.add(item);
    this.#handOut();
  }

  /** Adds the request after a while; of several delays of one request the earliest counts. */
  addAfter(request: ReconcileRequest, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) return this.add(request);
    const item = this.#item(request);
    const due = this.#clock.monotonic() + delayMs;
    if (item.delayed !== undefined) {
      if (item.delayed.due <= due) return;
      item.delayed.timer[Symbol.dispose]();
    }
    const timer = this.#clock.after(delayMs, () => {
      item.delayed = undefined;
      this.add(request);
    });
    item.delayed = { due, timer };
  }

  /** Adds the request after a delay that doubles with each call since it was last forgotten. */
  addRateLimited(request: ReconcileRequest): void {
    if (this.#closed) return;
    const item = this.#item(request);
    const delayMs = backoffDelay(item.failures, {
      initialMs: this.#initialDelayMs,
      maxMs: this.#maxDelayMs,
      jitter: 0.25,
      random: this.#random,
    });
    item.failures += 1;
    this.addAfter(request, delayMs);
  }

  /** Starts the backoff of the request anew. */
  forget(request: ReconcileRequest): void {
    const item = this.#items.get(requestKey(request));
    if (item === undefined) return;
    item.failures = 0;
    this.#dropIdle(item);
  }

  /** Retries asked for since the request was last forgotten. */
  failures(request: ReconcileRequest): number {
    return this.#items.get(requestKey(request))?.failures ?? 0;
  }

  /** Waits for the next request; undefined once the queue is shut down. */
  take(): Promise<ReconcileRequest | undefined> {
    return new Promise((resolve) => {
      if (this.#closed) return resolve(undefined);
      this.#takers.add(resolve);
      this.#handOut();
    });
  }

  done(request: ReconcileRequest): void {
    const item = this.#items.get(requestKey(request));
    if (item === undefined || !item.processing) return;
    item.processing = false;
    if (item.dirty && !this.#closed) {
      this.#waiting.add(item);
      this.#handOut();
    } else {
      this.#dropIdle(item);
    }
  }

  /** Forgets what waits and is delayed; everybody in `take` gets undefined. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const item of this.#items.values()) item.delayed?.timer[Symbol.dispose]();
    this.#items.clear();
    this.#waiting.clear();
    for (const resolve of this.#takers) resolve(undefined);
    this.#takers.clear();
  }

  #handOut(): void {
    for (const resolve of this.#takers) {
      const [item] = this.#waiting;
      if (item === undefined) return;
      this.#takers.delete(resolve);
      this.#waiting.delete(item);
      item.dirty = false;
      item.processing = true;
      resolve(item.request);
    }
  }

  #item(request: ReconcileRequest): Item {
    const key = requestKey(request);
    let item = this.#items.get(key);
    if (item === undefined) {
      item = { request, dirty: false, processing: false, failures: 0, delayed: undefined };
      this.#items.set(key, item);
    }
    return item;
  }

  #dropIdle(item: Item): void {
    if (item.dirty || item.processing || item.failures > 0 || item.delayed !== undefined) return;
    this.#items.delete(requestKey(item.request));
  }
}

/** Names may hold no slash, so this is unambiguous. */
function requestKey(request: ReconcileRequest): string {
  return `${request.namespace ?? ''}/${request.name}`;
}
