import type { Results } from '../results/measurement.ts';
import { show } from '../statistics/summary.ts';
import { backendNames, type BackendName } from '../server/backends.ts';
import { backendTitle } from './curves.ts';
import { valueOf, type Wanted } from './lookup.ts';
import { table } from './markdown.ts';
import type { Unit } from '../results/measurement.ts';

const begin = '<!-- Figures made by `npm run bench:report` -->';
const end = '<!-- End of figures -->';

interface Row {
  readonly what: string;
  readonly unit: Unit;
  readonly wanted: Omit<Wanted, 'backend'>;
}

const rows: readonly Row[] = [
  row('creates by one writer', '1/s', { bench: 'writes', metric: 'create throughput', at: { writers: 1 } }),
  row('creates by 50 writers', '1/s', { bench: 'writes', metric: 'create throughput', at: { writers: 50 } }),
  row('a create by one writer, P50', 'ms', { bench: 'writes', metric: 'create p50', at: { writers: 1 } }),
  row('a create at 230 a second, P99', 'ms', { bench: 'writes', metric: 'create p99 at a fixed rate' }),
  row('CPU of a create by 50 writers', 'ms', { bench: 'writes', metric: 'create CPU of server and database', at: { writers: 50 } }),
  row('GET of one object, P50', 'ms', { bench: 'gets', metric: 'GET p50' }),
  row('LIST of 10,000 objects, P50', 'ms', { bench: 'lists', metric: 'LIST p50', at: { objects: 10_000, as: 'objects' } }),
  row('event to 200 watchers at 50 writes a second, P50', 'ms', {
    ...{ bench: 'watches', metric: 'delivery p50', at: { watchers: 200, perSecond: 50 } },
  }),
  row('start on 100,000 objects', 'ms', { bench: 'growth', metric: 'cold start', at: { objects: 100_000 } }),
  row('memory of the server for each of 100,000 objects', 'bytes', {
    ...{ bench: 'growth', metric: 'RSS for each object', at: { objects: 100_000 } },
  }),
];

function row(what: string, unit: Unit, wanted: Omit<Wanted, 'backend'>): Row {
  return { what, unit, wanted };
}

/** What a choice between storages goes by, side by side. */
export function choosingFigures(results: Results): string {
  const backends = backendNames.filter((backend) => rows.some(({ wanted }) => valueOf(results, { ...wanted, backend }) !== undefined));
  const { cpu, cores } = results.machine;
  const cell = ({ wanted, unit }: Row, backend: BackendName): string => {
    const value = valueOf(results, { ...wanted, backend });
    return value === undefined ? '-' : show(value, unit);
  };
  return [
    table(
      ['', ...backends.map(backendTitle)],
      rows.map((each) => [each.what, ...backends.map((backend) => cell(each, backend))]),
    ),
    `Medians of ${results.date} on ${cores} cores (${cpu}) that server, database and load share; more, and how it was measured, in [Performance](../reference/performance.md).`,
  ].join('\n\n');
}

/** A page with the figures between its two markers replaced. @throws Error when it has no such place */
export function withFigures(page: string, figures: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no place for figures: ${begin} ... ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${figures}\n\n${page.slice(to)}`;
}
