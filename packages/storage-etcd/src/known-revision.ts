/** The newest revision this process has heard of, and the one history is known to be forgotten up to. Neither goes back. */
export class KnownRevision {
  #newest = 0;
  #compacted = 0;
  readonly #listeners = new Set<() => void>();

  get newest(): number {
    return this.#newest;
  }

  get compacted(): number {
    return this.#compacted;
  }

  observe(revision: number): void {
    if (revision <= this.#newest) return;
    this.#newest = revision;
    for (const listener of this.#listeners) listener();
  }

  observeCompaction(revision: number): void {
    this.#compacted = Math.max(this.#compacted, revision);
  }

  /** Calls `listener` whenever a newer revision is heard of. */
  subscribe(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }
}
