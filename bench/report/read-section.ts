import { backendNames } from '../server/backends.ts';
import type { Results } from '../results/measurement.ts';
import { median, medianRatio, show } from '../statistics/summary.ts';
import { cell, image } from './cells.ts';
import { backendTitle, type Curve } from './curves.ts';
import { findAll, valuesOfParameter } from './lookup.ts';
import { table } from './markdown.ts';

export function readSection(results: Results, curves: readonly Curve[]): string {
  const gets = findAll(results, { bench: 'gets', metric: 'GET p50' });
  const lists = findAll(results, { bench: 'lists', metric: 'LIST p50' });
  const getRows = gets.map(({ backend, values, baseline }) => {
    const [throughput] = findAll(results, { bench: 'gets', backend, metric: 'GET throughput' });
    return [
      backendTitle(backend),
      show(median(values), 'ms'),
      cell(results, { bench: 'gets', backend, metric: 'GET p99' }),
      show(median(baseline?.values ?? []), 'ms'),
      show(median(throughput?.values ?? []), '1/s'),
      show(median(throughput?.baseline?.values ?? []), '1/s'),
    ];
  });
  const counts = valuesOfParameter(lists, 'objects');
  const forms = [...new Set(lists.map(({ at }) => String(at['as'])))];
  const largest = 10_000;
  const rows = forms.map((as) => {
    const wanted = { bench: 'lists', backend: 'sqlite', at: { as, objects: largest } } as const;
    const [found] = findAll(results, { ...wanted, metric: 'LIST p50' });
    return [
      as,
      ...counts.map((objects) => cell(results, { ...wanted, metric: 'LIST p50', at: { as, objects } })),
      cell(results, { ...wanted, metric: 'LIST size' }),
      found?.baseline === undefined ? '-' : show(medianRatio(found.values, found.baseline.values), 'x'),
      cell(results, { ...wanted, metric: 'LIST CPU of server and database' }),
      cell(results, { ...wanted, metric: 'LIST sustained' }),
    ];
  });
  const others = backendNames.map((backend) => {
    const value = cell(results, { bench: 'lists', backend, metric: 'LIST p50', at: { as: 'objects', objects: largest } });
    return `${backendTitle(backend)} ${value}`;
  });
  const baseline = (metric: string): string => cell(results, { bench: 'list-baselines', metric, at: { objects: largest } });
  return [
    '## Reads',
    'GET of one of 10,000 objects: one reader, then 50 readers at once; beside them a TLS server that does nothing but answer with as many bytes. Reads are consistent: ' +
      'PostgreSQL and etcd are asked for their newest revision each time, which the other two know in memory.',
    table(['', 'P50', 'P99', 'raw TLS, P50', '50 readers', 'raw TLS'], getRows),
    `LIST with one reader on SQLite, P50; size, ratio to raw TLS of the same bytes, CPU time and lists per second with 4 readers are those of ${largest.toLocaleString('en-US')} objects. ` +
      'Selectors match one object in a hundred.',
    image(curves, 'list-by-objects.svg'),
    table(['', ...counts.map((count) => `${count.toLocaleString('en-US')} objects`), 'size', 'of raw TLS', 'CPU', 'sustained'], rows),
    `LIST of ${largest.toLocaleString('en-US')} objects elsewhere: ${others.join('; ')}. For comparison, a server that serialised the same list for each answer would spend ` +
      `${baseline('JSON.stringify of the list')} in JSON.stringify alone, and ${baseline('streaming gzip of the list, level 1')} compressing it.`,
  ].join('\n\n');
}
