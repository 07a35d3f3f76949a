import type { Measurement, Results } from '../results/measurement.ts';
import { median } from '../statistics/summary.ts';
import type { Plot, Series } from '../plot/svg-plot.ts';
import { findAll, type Wanted } from './lookup.ts';

/** A plot and the file it is drawn into. */
export interface Curve {
  readonly file: string;
  readonly plot: Plot;
}

type ResultsLike = Pick<Results, 'measurements'>;

const backendTitles = { memory: 'memory', sqlite: 'SQLite', postgres: 'PostgreSQL', etcd: 'etcd', none: '' } as const;

export function backendTitle(backend: Measurement['backend']): string {
  return backendTitles[backend];
}

/** Every curve of the report; one without at least two points somewhere is left out. */
export function curvesOf(results: ResultsLike): readonly Curve[] {
  return [creates(results), createLatency(results), lists(results), watches(results), ...growth(results)].filter(({ plot }) =>
    plot.series.some(({ points }) => points.length > 1),
  );
}

function creates(results: ResultsLike): Curve {
  const wanted = { bench: 'writes', metric: 'create throughput' };
  return {
    file: 'creates-by-writers.svg',
    plot: {
      title: 'Durable creates per second',
      x: { label: 'writers at once', scale: 'log' },
      y: { label: 'creates per second', scale: 'linear' },
      series: byBackend(results, wanted, 'writers'),
    },
  };
}

function createLatency(results: ResultsLike): Curve {
  return {
    file: 'create-latency-by-writers.svg',
    plot: {
      title: 'Latency of a create, P99',
      x: { label: 'writers at once', scale: 'log' },
      y: { label: 'milliseconds', scale: 'log' },
      series: byBackend(results, { bench: 'writes', metric: 'create p99' }, 'writers'),
    },
  };
}

function lists(results: ResultsLike): Curve {
  const shown = ['objects', 'objects, gzip', 'Table', 'metadata'];
  const ours = shown.map((as) =>
    series(as, findAll(results, { bench: 'lists', backend: 'sqlite', metric: 'LIST p50', at: { as } }), 'objects'),
  );
  const plain = findAll(results, { bench: 'lists', backend: 'sqlite', metric: 'LIST p50', at: { as: 'objects' } });
  const raw: Series = {
    name: 'raw TLS, same bytes',
    reference: true,
    points: plain.flatMap(({ at, baseline }) => (baseline === undefined ? [] : [{ x: Number(at['objects']), y: median(baseline.values) }])),
  };
  const stringify = series(
    'JSON.stringify alone',
    findAll(results, { bench: 'list-baselines', metric: 'JSON.stringify of the list' }),
    'objects',
  );
  return {
    file: 'list-by-objects.svg',
    plot: {
      title: 'LIST of everything, P50',
      x: { label: 'objects in the list', scale: 'log' },
      y: { label: 'milliseconds', scale: 'log' },
      series: [...ours, raw, { ...stringify, reference: true }],
    },
  };
}

function watches(results: ResultsLike): Curve {
  const all = findAll(results, { bench: 'watches', backend: 'sqlite', metric: 'delivery p50' });
  const counts = [...new Set(all.map(({ at }) => at['watchers']))];
  const percentiles = ['p50', 'p99'] as const;
  const shown = counts.flatMap((watchers) =>
    percentiles.map((share): Series => {
      const found = findAll(results, { bench: 'watches', backend: 'sqlite', metric: `delivery ${share}`, at: { watchers: watchers ?? 0 } });
      const name = `${watchers} watcher${watchers === 1 ? '' : 's'}, P`;
      const drawn = series(`${name}${share.slice(1)}`, found, 'perSecond');
      return share === 'p50' ? drawn : { ...drawn, reference: true, colorOf: `${name}50` };
    }),
  );
  return {
    file: 'watch-delivery.svg',
    plot: {
      title: 'From sending a write to having its event',
      x: { label: 'writes per second', scale: 'log' },
      y: { label: 'milliseconds', scale: 'log' },
      series: shown,
    },
  };
}

/** Growing with the number of objects: what should be flat, and what should be in proportion. */
function growth(results: ResultsLike): readonly Curve[] {
  const over = (metric: string, file: string, title: string, y: Plot['y']): Curve => ({
    file,
    plot: {
      title,
      x: { label: 'objects in the storage', scale: 'log' },
      y,
      series: byBackend(results, { bench: 'growth', metric }, 'objects'),
    },
  });
  return [
    over('GET p50', 'growth-get.svg', 'GET of one object, P50', { label: 'milliseconds', scale: 'linear' }),
    over('creates', 'growth-create.svg', 'Creates by 50 writers', { label: 'creates per second', scale: 'linear' }),
    over('watch delivery p50', 'growth-watch.svg', 'Delivery to 20 watchers at 100 writes/s, P50', {
      label: 'milliseconds',
      scale: 'linear',
    }),
    over('LIST p50', 'growth-list.svg', 'LIST of everything, P50', { label: 'milliseconds', scale: 'log' }),
    over('cold start', 'growth-start.svg', 'Opening the storage until requests are answered', { label: 'milliseconds', scale: 'log' }),
    over('RSS for each object', 'growth-memory.svg', 'Memory of the server for each object', { label: 'bytes', scale: 'linear' }),
  ];
}

function byBackend(results: ResultsLike, wanted: Wanted, parameter: string): readonly Series[] {
  return (['memory', 'sqlite', 'postgres', 'etcd'] as const)
    .map((backend) => series(backendTitle(backend), findAll(results, { ...wanted, backend }), parameter))
    .filter(({ points }) => points.length > 0);
}

function series(name: string, measurements: readonly Measurement[], parameter: string): Series {
  return {
    name,
    points: measurements.map(({ at, values }) => ({
      x: Number(at[parameter]),
      y: median(values),
      ...(values.length > 1 && { spread: [Math.min(...values), Math.max(...values)] as const }),
    })),
  };
}
