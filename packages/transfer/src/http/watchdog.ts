import type { Clock } from '@arc/kernel';

/**
 * Calls `bark` when one wait takes longer than `ms`. Made for waits that come by the ten thousand: it keeps one timer
 * and moves it only when it fires, so that `begin` and `end` cost an assignment each.
 */
export class Watchdog implements Disposable {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #bark: () => void;
  #timer: Disposable | undefined;
  /** When the wait in progress began; undefined between waits. */
  #since: number | undefined;

  constructor(clock: Clock, ms: number, bark: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#bark = bark;
  }

  begin(): void {
    this.#since = this.#clock.now();
    this.#timer ??= this.#arm(this.#ms);
  }

  end(): void {
    this.#since = undefined;
  }

  [Symbol.dispose](): void {
    this.#since = undefined;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #arm(ms: number): Disposable {
    return this.#clock.after(ms, () => {
      this.#timer = undefined;
      if (this.#since === undefined) return;
      const left = this.#since + this.#ms - this.#clock.now();
      if (left <= 0) this.#bark();
      else this.#timer = this.#arm(left);
    });
  }
}
