import type { CachedObject, Delivery, Watcher } from '@arc/storage';
import type { LiveFeed } from '../http/reply.ts';
import type { WatchEncoder } from '../representation/watch-encoder.ts';

/** Initial events written together. */
const initialBatch = 200;

export interface WatchFeedOptions {
  readonly watcher: Watcher;
  readonly encoder: WatchEncoder;
  /** What there is at `revision`, told first; undefined: only changes are wanted. */
  readonly initial: readonly CachedObject[] | undefined;
  readonly revision: number;
  /** A bookmark ends the initial events. */
  readonly marksInitialEnd: boolean;
  readonly bookmarks: boolean;
  /** Counts events and their bytes. */
  readonly sent: (events: number, bytes: number) => void;
  /** The last line after a failure, if there is one to be told. */
  readonly failed: (error: unknown) => Uint8Array | undefined;
  /** Released at the end. */
  readonly held: Disposable;
}

/** The lines of one watch, made when the connection has room for them. */
export class WatchFeed implements LiveFeed {
  readonly #options: WatchFeedOptions;
  #untold: readonly CachedObject[];
  #initialEndDue: boolean;
  #failed = false;

  constructor(options: WatchFeedOptions) {
    this.#options = options;
    this.#untold = options.initial ?? [];
    this.#initialEndDue = options.initial !== undefined && options.marksInitialEnd;
  }

  get ended(): boolean {
    return this.#failed || this.#options.watcher.ended;
  }

  next(): Uint8Array | undefined {
    if (this.#failed) return undefined;
    try {
      return this.#line();
    } catch (error) {
      this.#failed = true;
      return this.#options.failed(error);
    }
  }

  onReady(ready: () => void): void {
    this.#options.watcher.onReady(ready);
  }

  [Symbol.dispose](): void {
    this.#options.held[Symbol.dispose]();
    this.#options.watcher[Symbol.dispose]();
  }

  #line(): Uint8Array | undefined {
    const { watcher, encoder, revision, sent } = this.#options;
    if (!watcher.ended && this.#untold.length > 0) {
      const objects = this.#untold.slice(0, initialBatch);
      this.#untold = this.#untold.slice(initialBatch);
      const bytes = encoder.initial(objects);
      sent(objects.length, bytes.length);
      return bytes;
    }
    if (!watcher.ended && this.#initialEndDue) {
      this.#initialEndDue = false;
      return encoder.bookmark(revision, { initialEventsEnd: true });
    }
    let delivery: Delivery | undefined;
    while ((delivery = watcher.take()) !== undefined) {
      const { events } = delivery;
      if (events.length > 0) {
        const bytes = encoder.events(events);
        sent(events.length, bytes.length);
        return bytes;
      }
      if (this.#options.bookmarks) return encoder.bookmark(delivery.revision, { initialEventsEnd: false });
    }
    return undefined;
  }
}

/** A watch that could not begin. */
export function failedFeed(line: Uint8Array | undefined): LiveFeed {
  let untold = line;
  return {
    ended: true,
    next: () => {
      const told = untold;
      untold = undefined;
      return told;
    },
    onReady: () => {},
    [Symbol.dispose]: () => {},
  };
}
