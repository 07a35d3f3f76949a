import type { Results } from '../results/measurement.ts';
import { cell, image } from './cells.ts';
import { backendTitle, type Curve } from './curves.ts';
import { findAll } from './lookup.ts';
import { table } from './markdown.ts';

export function watchSection(results: Results, curves: readonly Curve[]): string {
  const all = findAll(results, { bench: 'watches', metric: 'delivery p50' });
  if (all.length === 0) return '';
  const rows = all.map(({ backend, at }) => {
    const of = (metric: string): string => cell(results, { bench: 'watches', backend, metric, at });
    return [
      `${backendTitle(backend)}, ${at['watchers']}, ${at['perSecond']}/s`,
      of('delivery p50'),
      of('delivery p99'),
      of('write p50 while watched'),
      of('writes done'),
      of('CPU of server and database for a delivery'),
    ];
  });
  return [
    '## Watches',
    'Updates of single objects, each delivered to every watcher. The time runs from when a writer hands its request over to when a watcher has the event, ' +
      'so the commit is part of it. Every event has to reach every watcher, or the bench fails. 1,000 watchers at 1,000 writes/s would be a million deliveries a second, ' +
      'which two cores that also receive them cannot do: what the writers reached instead is in the column "writes done".',
    image(curves, 'watch-delivery.svg'),
    table(['backend, watchers, writes', 'P50', 'P99', 'write P50', 'writes done', 'CPU of a delivery'], rows),
  ].join('\n\n');
}

export function mixedSection(results: Results): string {
  const all = findAll(results, { bench: 'mixed', metric: 'LIST p50' });
  const rows = all.map(({ backend }) => [
    backendTitle(backend),
    ...['LIST', 'write', 'delivery'].flatMap((what) =>
      ['p50', 'p99'].map((share) => cell(results, { bench: 'mixed', backend, metric: `${what} ${share}` })),
    ),
    cell(results, { bench: 'mixed', backend, metric: 'CPU of server and database for a second' }),
  ]);
  return all.length === 0
    ? ''
    : [
        '## All at once',
        '180 updates/s, 12.5 LIST/s of all 10,000 objects and 200 watchers, together.',
        table(['', 'LIST P50', 'P99', 'write P50', 'P99', 'delivery P50', 'P99', 'CPU each second'], rows),
      ].join('\n\n');
}
