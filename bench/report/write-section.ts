import { backendNames } from '../server/backends.ts';
import type { Results } from '../results/measurement.ts';
import { median, medianRatio, show } from '../statistics/summary.ts';
import { cell, image, medianCell } from './cells.ts';
import { backendTitle, type Curve } from './curves.ts';
import { findAll, valuesOfParameter, type Wanted } from './lookup.ts';
import { table } from './markdown.ts';

export function writeSection(results: Results, curves: readonly Curve[]): string {
  const measured = findAll(results, { bench: 'writes', metric: 'create throughput' });
  if (measured.length === 0) return '';
  const writers = valuesOfParameter(measured, 'writers');
  const head = (of: string): string[] => [of, ...writers.map((count) => `${count} writer${count === 1 ? '' : 's'}`)];
  const backends = backendNames.filter((name) => measured.some(({ backend }) => backend === name));
  const rows = (of: (where: Pick<Wanted, 'backend' | 'at'>) => string): string[][] =>
    backends.map((backend) => [backendTitle(backend), ...writers.map((count) => of({ backend, at: { writers: count } }))]);
  const figure = (metric: string) => (where: Pick<Wanted, 'backend' | 'at'>) => cell(results, { bench: 'writes', metric, ...where });
  const latency = (where: Pick<Wanted, 'backend' | 'at'>): string =>
    ['create p50', 'create p99'].map((metric) => medianCell(results, { bench: 'writes', metric, ...where })).join(' / ');
  const raw = measured.flatMap(({ backend, at, values, baseline }) =>
    baseline === undefined
      ? []
      : [
          [
            `${backendTitle(backend)}: ${baseline.name}`,
            String(at['writers']),
            show(median(baseline.values), '1/s'),
            show(medianRatio(values, baseline.values), 'x'),
          ],
        ],
  );
  const burst = backends.map((backend) => {
    const at = (share: string): string => cell(results, { bench: 'writes', backend, metric: `create ${share} at a fixed rate` });
    return `${backendTitle(backend)} ${at('p50')} / ${at('p99')}`;
  });
  const applied = findAll(results, { bench: 'applies', metric: 'applies that change a field' });
  return [
    '## Writes',
    'Median and lowest to highest of three rounds. A create is authenticated, authorised, decoded, defaulted, validated, committed durably (but for memory) and answered. Each writer has one connection and one request under way.',
    image(curves, 'creates-by-writers.svg'),
    image(curves, 'create-latency-by-writers.svg'),
    ...['create', 'update', 'delete'].map((operation) => table(head(`${operation}s`), rows(figure(`${operation} throughput`)))),
    table(head('create, P50 / P99'), rows(latency)),
    table(head('CPU of server and database for a create'), rows(figure('create CPU of server and database'))),
    `At a fixed rate of 230 creates/s, P50 / P99: ${burst.join('; ')}.`,
    'Beneath them, the same bytes written into the same kind of database with nothing of ours in between; the last column is creates through the API over raw writes.',
    table(['raw writes', 'writers', 'raw', 'API / raw'], raw),
    ...applied.map(
      ({ values, baseline }) =>
        `Server-side apply by 50 writers on SQLite: ${show(median(values), '1/s')} that change a field, against ` +
        `${show(median(baseline?.values ?? []), '1/s')} merge patches of the same objects; ` +
        `${cell(results, { bench: 'applies', metric: 'applies that change nothing' })} that change nothing and so write nothing.`,
    ),
  ].join('\n\n');
}
