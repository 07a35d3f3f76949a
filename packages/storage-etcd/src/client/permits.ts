/** Lets at most `count` tasks run at a time, in order of arrival. */
export class Permits {
  readonly #count: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #idle: (() => void)[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await task();
    } finally {
      this.#release();
    }
  }

  /** Resolves when nothing runs. */
  async drained(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** A permit passes to whoever waits longest, so that nobody overtakes. */
  #release(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next();
    else if (--this.#running === 0) for (const wake of this.#idle.splice(0)) wake();
  }
}
