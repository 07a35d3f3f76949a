import type { CachedEvent } from '@arc/storage';

/**
 * The lines of several events in one piece. Under load hundreds of watchers are told the same ones in a row, so the last piece
 * is kept, and the next watcher is given the same bytes.
 */
export class JoinedEvents {
  #events: readonly CachedEvent[] = [];
  #form = '';
  #lines: Uint8Array = new Uint8Array(0);

  /** @param form names the representation; `join` makes the lines of the events in it. */
  linesOf(events: readonly CachedEvent[], form: string, join: () => Uint8Array): Uint8Array {
    const known = this.#events;
    if (form !== this.#form || events.length !== known.length || events.some((event, at) => event !== known[at])) {
      this.#lines = join();
      this.#events = events;
      this.#form = form;
    }
    return this.#lines;
  }
}
