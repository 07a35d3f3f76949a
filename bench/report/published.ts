import type { Unit } from '../results/measurement.ts';
import type { Wanted } from './lookup.ts';

/** A figure somebody else published, and what of our own is measured most like it. */
export interface PublishedFigure {
  readonly what: string;
  readonly unit: Unit;
  readonly published: number;
  /** What its makers measured of custom resources in the etcd of the same cluster. */
  readonly customResources?: number;
  readonly wanted: Wanted;
}

/** Ark's aggregated API server on PostgreSQL, measured by its makers. */
export const ark = {
  source: 'https://github.com/mckinsey/agents-at-scale-ark/tree/main/benchmarks/apiserver',
  conditions:
    '27 January 2026, GKE 1.34 on e2-standard-2 nodes (2 cores); ark-apiserver with a limit of 0.5 core and 512 MB behind kube-apiserver, ' +
    'PostgreSQL 16 with up to 2 GB, everything in one network; the size of the objects is not given',
  figures: [
    figure('GET with 10,000 objects, P50', ['ms', 106, 103], { bench: 'gets', metric: 'GET p50' }),
    figure('creates, most by 200 writers', ['1/s', 232], { bench: 'writes', metric: 'create throughput', at: { writers: 200 } }),
    figure('create by 50 writers, P50', ['ms', 231], { bench: 'writes', metric: 'create p50', at: { writers: 50 } }),
    figure('create by 50 writers, P99', ['ms', 690], { bench: 'writes', metric: 'create p99', at: { writers: 50 } }),
    figure('LIST of 10,000 objects, P50', ['ms', 1504, 2980], list('LIST p50')),
    figure('LIST of 10,000 objects, P99', ['ms', 2798, 5486], list('LIST p99')),
    figure('LIST of 10,000 objects, sustained', ['1/s', 12.5, 6.1], list('LIST sustained')),
    figure('delivery to 200 watchers, P50', ['ms', 80], watch('delivery p50')),
    figure('delivery to 200 watchers, P99', ['ms', 203], watch('delivery p99')),
  ],
} as const;

function figure(
  what: string,
  [unit, published, customResources]: readonly [unit: Unit, published: number, customResources?: number],
  wanted: Omit<Wanted, 'backend'>,
): PublishedFigure {
  return { what, unit, published, wanted: { ...wanted, backend: 'postgres' }, ...(customResources !== undefined && { customResources }) };
}

function list(metric: string): Omit<Wanted, 'backend'> {
  return { bench: 'lists', metric, at: { objects: 10_000, as: 'objects' } };
}

/** Ark's writers make about seven writes a second during it, so ours at the lowest rate stand beside it. */
function watch(metric: string): Omit<Wanted, 'backend'> {
  return { bench: 'watches', metric, at: { watchers: 200, perSecond: 50 } };
}
