/** How many runs a namespace had under way, averaged over the recent past: older times count for less and less. */
export class DecayedUsage {
  readonly #halfLifeMs: number;
  #average = 0;
  #active = 0;
  #at: number;

  constructor(halfLifeMs: number, now: number) {
    this.#halfLifeMs = halfLifeMs;
    this.#at = now;
  }

  get active(): number {
    return this.#active;
  }

  change(by: 1 | -1, now: number): void {
    this.#average = this.average(now);
    this.#at = Math.max(this.#at, now);
    this.#active += by;
  }

  /** A clock that goes back counts as one that stands still. */
  average(now: number): number {
    const kept = 2 ** (-Math.max(0, now - this.#at) / this.#halfLifeMs);
    return this.#average * kept + this.#active * (1 - kept);
  }
}
