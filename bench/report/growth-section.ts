import { backendNames } from '../server/backends.ts';
import type { Results } from '../results/measurement.ts';
import { show } from '../statistics/summary.ts';
import { cell, image } from './cells.ts';
import { backendTitle, type Curve } from './curves.ts';
import { findAll, valueOf, valuesOfParameter, type Wanted } from './lookup.ts';
import { table } from './markdown.ts';

export function growthSection(results: Results, curves: readonly Curve[]): string {
  const all = findAll(results, { bench: 'growth', metric: 'GET p50' });
  if (all.length === 0) return '';
  const metrics = [
    'GET p50',
    'creates',
    'watch delivery p50',
    'LIST p50',
    'cold start',
    'RSS for each object',
    'RSS for each object by its bytes',
  ];
  const rows = all.map(({ backend, at }) => [
    `${backendTitle(backend)}, ${Number(at['objects']).toLocaleString('en-US')}`,
    ...metrics.map((metric) => cell(results, { bench: 'growth', backend, metric, at })),
  ]);
  return [
    '## How cost grows',
    'The same work with ever more objects in the storage. GET, create and watch should not notice; LIST, cold start and memory in proportion. With `memory:` the ' +
      'store itself is part of the memory, and cold start is only the loading of the cache.',
    ...factors(results),
    ...['growth-get.svg', 'growth-create.svg', 'growth-watch.svg', 'growth-list.svg', 'growth-start.svg', 'growth-memory.svg'].map((file) =>
      image(curves, file),
    ),
    table(
      ['backend, objects', 'GET P50', 'creates', 'delivery P50', 'LIST P50', 'cold start', 'memory of an object', 'by its bytes'],
      rows,
    ),
  ].join('\n\n');
}

/** What each path takes with the most objects over what it takes with the fewest. */
function factors(results: Results): readonly string[] {
  const paths: readonly (readonly [string, string, (factor: number, objects: number) => number])[] = [
    ['GET', 'GET p50', (factor) => factor],
    ['create', 'creates', (factor) => 1 / factor],
    ['watch delivery', 'watch delivery p50', (factor) => factor],
    ['LIST for each object', 'LIST p50', (factor, objects) => factor / objects],
    ['cold start for each object', 'cold start', (factor, objects) => factor / objects],
    ['memory for each object', 'RSS for each object', (factor) => factor],
  ];
  const rows = backendNames.flatMap((backend) => {
    const counts = valuesOfParameter(findAll(results, { bench: 'growth', metric: 'GET p50', backend }), 'objects');
    const [fewest = 0, most = 0] = [counts[0], counts.at(-1)];
    if (most <= fewest) return [];
    const at = (metric: string, objects: number): number =>
      valueOf(results, { bench: 'growth', metric, backend, at: { objects } } satisfies Wanted) ?? Number.NaN;
    const cells = paths.map(([, metric, factorOf]) => show(factorOf(at(metric, most) / at(metric, fewest), most / fewest), 'x'));
    return [[`${backendTitle(backend)}, ${fewest.toLocaleString('en-US')} to ${most.toLocaleString('en-US')}`, ...cells]];
  });
  if (rows.length === 0) return [];
  return [
    'From the fewest to the most objects, each path takes so many times as long: 1 is flat, or in proportion where it says for each object; what is fixed, ' +
      'such as an empty cache, weighs on the fewest.',
    table(['backend, objects', ...paths.map(([name]) => name)], rows),
  ];
}
