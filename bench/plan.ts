import type { BackendName } from './server/backends.ts';

/** How much is measured: enough to see that it works in seconds, enough to rely on the figures, or all there is. */
export interface Plan {
  /** Rounds of what is measured in turn with a baseline. */
  readonly rounds: number;
  readonly writers: readonly number[];
  /** Milliseconds for which writers write. */
  readonly writeMs: number;
  /** Numbers of objects that are listed. */
  readonly listed: readonly number[];
  /** Whether lists are asked for in every form, or as objects only, plain and compressed. */
  readonly listForms: 'every' | 'objects';
  /** Lists of a form, and milliseconds they may take together. */
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
  /** Copies of images: a large one of so many layers, and so many small ones. */
  readonly copies: { readonly rounds: number; readonly layers: number; readonly layerBytes: number; readonly images: number };
  /** Orders that are reconciled; how many of them a change of an Endpoint concerns, each time; how long they are left alone. */
  readonly orders: { readonly count: number; readonly changed: readonly number[]; readonly idleMs: number };
  /**
   * Instead of the above, on every backend but the default one: lists and watches are served from the watch cache, which is the
   * same over each of them, so it is enough to see that they do not differ; and filling them with a million objects takes longer
   * than everything else that is measured takes together.
   */
  readonly elsewhere: Partial<Pick<Plan, 'listed' | 'listForms' | 'watchers' | 'watchedRates' | 'stored'>>;
}

const defaultBackend: BackendName = 'sqlite';

/** The part of a plan that is carried out on a backend. */
export function planFor(backend: BackendName, plan: Plan): Plan {
  return { ...plan, ...(backend !== defaultBackend && plan.elsewhere) };
}

const full: Plan = {
  rounds: 5,
  writers: [1, 10, 50, 100, 200],
  writeMs: 1500,
  listed: [1000, 10_000, 100_000],
  listForms: 'every',
  lists: { count: 30, maxMs: 2500 },
  watchers: [1, 200, 1000],
  watchedRates: [50, 200, 1000],
  watchMs: 2500,
  populated: 10_000,
  mixedMs: 8000,
  stored: [10_000, 100_000, 1_000_000],
  starts: 5,
  idleMs: 4000,
  copies: { rounds: 5, layers: 10, layerBytes: 100_000_000, images: 100 },
  orders: { count: 10_000, changed: [1250, 2500, 5000], idleMs: 30_000 },
  elsewhere: { listed: [10_000], listForms: 'objects', watchers: [200], watchedRates: [50, 200], stored: [10_000, 100_000] },
};

/** Everything on every backend. */
const complete: Plan = { ...full, elsewhere: {} };

const small: Plan = {
  rounds: 2,
  writers: [1, 10],
  writeMs: 150,
  listed: [200],
  listForms: 'every',
  lists: { count: 3, maxMs: 200 },
  watchers: [1, 5],
  watchedRates: [50],
  watchMs: 200,
  populated: 200,
  mixedMs: 300,
  stored: [500],
  starts: 1,
  idleMs: 50,
  copies: { rounds: 1, layers: 2, layerBytes: 200_000, images: 3 },
  // As many that are never changed as of those that are changed first, as in the full plan: they once shared a destination by that.
  orders: { count: 12, changed: [3, 6], idleMs: 300 },
  elsewhere: { listForms: 'objects' },
};

/** What has to be seen many times while controllers are made faster. */
const medium: Plan = { ...small, orders: { count: 1500, changed: [150, 300, 600], idleMs: 5000 } };

export const plans = { small, medium, full, complete } as const;
export type Size = keyof typeof plans;
