import type { Results, Unit } from '../results/measurement.ts';
import { valueOf, type Wanted } from './lookup.ts';

interface Budget {
  readonly path: string;
  readonly wanted: Wanted;
  readonly unit: Unit;
  readonly budget: number;
  readonly stretch: number;
  readonly better: 'lower' | 'higher';
}

type Verdict = 'stretch goal' | 'holds' | 'missed' | 'not measured';

export interface JudgedBudget extends Budget {
  readonly value: number | undefined;
  readonly verdict: Verdict;
}

const tenThousand = { objects: 10_000 } as const;
const tenThousandOrders = { orders: 10_000 } as const;
const delivery = { watchers: 200, perSecond: 200 } as const;
const fifty = { writers: 50 } as const;

const lower = (path: string, wanted: Wanted, [unit, budget, stretch]: readonly [Unit, number, number]): Budget => ({
  ...{ path, wanted, unit, budget, stretch },
  better: 'lower',
});
const higher = (path: string, wanted: Wanted, [unit, budget, stretch]: readonly [Unit, number, number]): Budget => ({
  ...{ path, wanted, unit, budget, stretch },
  better: 'higher',
});
const creates = (backend: 'sqlite' | 'postgres' | 'etcd'): Wanted => ({ bench: 'writes', backend, metric: 'create throughput', at: fifty });
const controllers = { who: 'controllers' } as const;
const copies = (metric: string, at: NonNullable<Wanted['at']>): Wanted => ({ bench: 'image-copies', metric, at });
const plainList = { ...tenThousand, as: 'objects' } as const;

/** What ARC promises of a machine with two cores, with TLS, authentication, authorisation and validation on. */
const budgets: readonly Budget[] = [
  lower('GET of one object, P50', { bench: 'gets', backend: 'sqlite', metric: 'GET p50' }, ['ms', 1, 0.3]),
  lower('LIST of 10,000 objects, P50', { bench: 'lists', backend: 'sqlite', metric: 'LIST p50', at: plainList }, ['ms', 25, 12]),
  lower('the same under the mixed load', { bench: 'mixed', backend: 'sqlite', metric: 'LIST p50', at: tenThousand }, ['ms', 60, 25]),
  higher(
    'LIST of 10,000 objects with gzip, sustained',
    { bench: 'lists', backend: 'sqlite', metric: 'LIST sustained', at: { ...tenThousand, as: 'objects, gzip' } },
    ['1/s', 80, 200],
  ),
  higher('durable creates by 50 writers, SQLite', creates('sqlite'), ['1/s', 4000, 8000]),
  higher('durable creates by 50 writers, PostgreSQL', creates('postgres'), ['1/s', 2500, 5000]),
  higher('durable creates by 50 writers, etcd', creates('etcd'), ['1/s', 1500, 3000]),
  lower('delivery to 200 watchers at 200 writes/s, P50', { bench: 'watches', backend: 'sqlite', metric: 'delivery p50', at: delivery }, [
    'ms',
    10,
    5,
  ]),
  lower('delivery to 200 watchers at 200 writes/s, P99', { bench: 'watches', backend: 'sqlite', metric: 'delivery p99', at: delivery }, [
    'ms',
    40,
    20,
  ]),
  lower(
    'memory of a stored object, by its bytes (100,000 objects)',
    { bench: 'growth', backend: 'sqlite', metric: 'RSS for each object by its bytes', at: { objects: 100_000 } },
    ['x', 2.5, 1.6],
  ),
  lower('memory of a watcher', { bench: 'watcher-memory', metric: 'RSS for each watcher' }, ['bytes', 100_000, 40_000]),
  lower('`arcctl up` to ready', { bench: 'arcctl', metric: '`arcctl up` to ready' }, ['ms', 1000, 500]),
  lower('`arcctl up`, memory when idle', { bench: 'arcctl', metric: 'RSS when idle' }, ['bytes', 150e6, 100e6]),
  lower('`arcctl get`, cold', { bench: 'arcctl', metric: '`arcctl get` cold' }, ['ms', 150, 100]),
  lower('requests of the controllers for an artifact', { bench: 'orders', metric: 'all requests of an artifact', at: controllers }, [
    'count',
    10,
    8,
  ]),
  lower('status writes for an artifact', { bench: 'orders', metric: 'status writes of an artifact', at: controllers }, ['count', 4, 3]),
  lower(
    'memory of the controllers after all work, over a fresh start',
    { bench: 'orders', metric: 'heap of the controllers, over one that has just started' },
    ['x', 1.15, 1.05],
  ),
  lower('CPU of 30 s with 10,000 finished Orders', { bench: 'orders', metric: 'CPU when idle', at: tenThousandOrders }, ['ms', 300, 100]),
  lower('requests in that time, but for renewed watches', { bench: 'orders', metric: 'requests when idle', at: tenThousandOrders }, [
    'count',
    0,
    0,
  ]),
  lower(
    'an Order after a change of an Endpoint of 5,000, over one of 1,250',
    { bench: 'orders', metric: 'CPU of an artifact, most over fewest', at: { orders: 5000 } },
    ['x', 1.2, 1.05],
  ),
  lower('copy of 1 GB in 10 layers, time by skopeo', copies('one large image, wall ratio', { megabytes: 1000 }), ['x', 1, 0.8]),
  lower('copy of 1 GB in 10 layers, CPU by skopeo', copies('one large image, CPU ratio', { megabytes: 1000 }), ['x', 0.85, 0.6]),
  lower('copy of 1 GB in 10 layers, peak memory', copies('one large image, peak RSS', { megabytes: 1000 }), ['bytes', 160e6, 120e6]),
  lower('copy of 100 small images, time by skopeo', copies('small images, wall ratio', { images: 100 }), ['x', 0.5, 0.3]),
];

export function judge(results: Pick<Results, 'measurements'>): readonly JudgedBudget[] {
  return budgets.map((budget) => {
    const value = valueOf(results, budget.wanted);
    return { ...budget, value, verdict: value === undefined ? 'not measured' : verdictOn(budget, value) };
  });
}

function verdictOn({ budget, stretch, better }: Budget, value: number): Verdict {
  const within = (limit: number): boolean => (better === 'lower' ? value <= limit : value >= limit);
  if (within(stretch)) return 'stretch goal';
  return within(budget) ? 'holds' : 'missed';
}
