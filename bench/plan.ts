import type { BackendName } from './server/backends.ts';

/** How much is measured: enough to see that it works in seconds, or enough to rely on the figures. */
export interface Plan {
  /** Rounds of what is measured in turn with a baseline. */
  readonly rounds: number;
  readonly writers: readonly number[];
  /** Milliseconds for which writers write. */
  readonly writeMs: number;
  /** Numbers of objects that are listed. */
  readonly listed: readonly number[];
  /** Lists of a representation, and seconds they may take together. */
  readonly lists: { readonly count: number; readonly maxMs: number };
  readonly watchers: readonly number[];
  /** Writes per second that are watched. */
  readonly watchedRates: readonly number[];
  readonly watchMs: number;
  /** Objects there are while watches and the mixed load run. */
  readonly populated: number;
  readonly mixedMs: number;
  /** Numbers of objects for memory, cold start and growth. */
  readonly stored: readonly number[];
  /** Starts of arcctl, and how long it is left alone before its memory is read. */
  readonly starts: number;
  readonly idleMs: number;
}

const full: Plan = {
  rounds: 5,
  writers: [1, 10, 50, 100, 200],
  writeMs: 1500,
  listed: [1000, 10_000, 100_000],
  lists: { count: 30, maxMs: 2500 },
  watchers: [1, 200, 1000],
  watchedRates: [50, 200, 1000],
  watchMs: 2500,
  populated: 10_000,
  mixedMs: 8000,
  stored: [10_000, 100_000, 1_000_000],
  starts: 5,
  idleMs: 4000,
};

const small: Plan = {
  rounds: 2,
  writers: [1, 10],
  writeMs: 150,
  listed: [200],
  lists: { count: 3, maxMs: 200 },
  watchers: [1, 5],
  watchedRates: [50],
  watchMs: 200,
  populated: 200,
  mixedMs: 300,
  stored: [500],
  starts: 1,
  idleMs: 50,
};

export const plans = { small, full } as const;
export type Size = keyof typeof plans;

/** Beyond these, filling a storage takes longer than everything else that is measured takes together. */
const largest: Readonly<Record<BackendName, number>> = { memory: 1_000_000, sqlite: 1_000_000, postgres: 100_000, etcd: 100_000 };

/** The numbers of objects that are measured on a backend. */
export function storedOn(backend: BackendName, plan: Plan): readonly number[] {
  return plan.stored.filter((objects) => objects <= largest[backend]);
}
