import { statusError } from '@arc/apimachinery';

export interface InFlightLimits {
  /** Reads served at once. */
  readonly reading: number;
  /** Writes served at once. */
  readonly mutating: number;
}

export const defaultInFlightLimits: InFlightLimits = { reading: 400, mutating: 200 };

/** Sheds load beyond a number of requests at once, reads and writes apart (wire contract 6.4). */
export interface FlowControl {
  /**
   * Takes a place until disposed.
   * @throws ApiStatusError 429 with Retry-After when none is free.
   */
  enter(mutating: boolean): Disposable;
  /** Places taken now. */
  taken(): InFlightLimits;
}

export function flowControl(limits: InFlightLimits): FlowControl {
  const taken = { reading: 0, mutating: 0 };
  return {
    taken: () => ({ ...taken }),
    enter(mutating) {
      const pool = mutating ? 'mutating' : 'reading';
      if (taken[pool] >= limits[pool]) throw statusError.tooManyRequests(1);
      taken[pool]++;
      let left = false;
      return {
        [Symbol.dispose]: () => {
          if (left) return;
          left = true;
          taken[pool]--;
        },
      };
    },
  };
}
