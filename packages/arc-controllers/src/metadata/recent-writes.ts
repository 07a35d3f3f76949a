/** When objects were last written, kept only as long as it matters: losing it is harmless, and keeping it for every object is not free. */
export class RecentWrites {
  readonly #intervalMs: number;
  /** By uid, oldest first. */
  readonly #times = new Map<string, number>();

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  note(uid: string, now: number): void {
    this.#times.delete(uid);
    this.#times.set(uid, now);
    for (const [old, time] of this.#times) {
      if (now - time < this.#intervalMs) return;
      this.#times.delete(old);
    }
  }

  /** How long the next write has to wait, milliseconds; at most 0 when it need not. A clock that goes back counts as one that stands still. */
  wait(uid: string, now: number): number {
    const last = this.#times.get(uid);
    return last === undefined ? 0 : this.#intervalMs - Math.max(0, now - last);
  }

  forget(uid: string): void {
    this.#times.delete(uid);
  }
}
