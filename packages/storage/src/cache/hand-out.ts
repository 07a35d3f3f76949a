/**
 * For how long watchers are served in one turn of the event loop. Node encrypts 160 KiB of an answer in a turn, so a LIST of
 * 15 MB takes about a hundred: under 36,000 deliveries/s its P50 is 208 ms when watchers have at least 4 ms of each turn, 28 ms
 * with a quarter of a millisecond; that of a write 15 and 2 ms, that of a delivery 14 and 3 ms.
 */
const turnMs = { min: 0.25, max: 25 };

/** Has events for watchers. */
export interface Handing {
  /** Serves a watcher up to each `yield`. */
  handOut(): Generator<void, void, void>;
}

/**
 * Brings events to watchers without keeping the event loop from requests. At rest everybody has an event in the turn of the
 * loop after it was applied. Under load each turn is shared: watchers are served for as long as everything else took since
 * they were last served, within these bounds. What is applied meanwhile waits for the next round, and reaches each watcher in
 * one delivery: the busier the server, the more events share the cost of one write to a connection.
 */
export class HandOut {
  readonly #now: () => number;
  readonly #due = new Set<Handing>();
  #round: Iterator<void, void, void> | undefined;
  #scheduled = false;
  #lastTurn = 0;

  /** @param now milliseconds that never go back */
  constructor(now: () => number) {
    this.#now = now;
  }

  want(partition: Handing): void {
    this.#due.add(partition);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // After the writers have been answered.
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    const began = this.#now();
    const since = this.#round === undefined ? 0 : began - this.#lastTurn;
    const until = began + Math.min(turnMs.max, Math.max(turnMs.min, since));
    this.#round ??= this.#everything();
    let done = this.#round.next().done;
    while (done !== true && this.#now() < until) done = this.#round.next().done;
    if (done === true) this.#round = undefined;
    this.#lastTurn = this.#now();
    if (done !== true || this.#due.size > 0) this.#schedule();
  }

  *#everything(): Generator<void, void, void> {
    const partitions = [...this.#due];
    this.#due.clear();
    for (const partition of partitions) yield* partition.handOut();
  }
}
