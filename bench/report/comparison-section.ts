import type { Results } from '../results/measurement.ts';
import { median, medianRatio, show } from '../statistics/summary.ts';
import { findAll } from './lookup.ts';
import { table } from './markdown.ts';

/** Servers measured side by side by `bench:compare`, the first as the one the others are compared with. */
export function comparisonSection(comparison: Results): string {
  const servers = [...new Set(comparison.measurements.map(({ at }) => String(at['server'])))];
  const [first = '', ...others] = servers;
  const metrics = [...new Set(comparison.measurements.map(({ metric }) => metric))];
  const rows = metrics.map((metric) => {
    const of = (server: string): (typeof comparison.measurements)[number] | undefined =>
      findAll(comparison, { bench: 'compare', metric, at: { server } })[0];
    const cells = servers.map((server) => {
      const found = of(server);
      return found === undefined ? '-' : show(median(found.values), found.unit);
    });
    const base = of(first);
    const ratios = others.map((server) => {
      const found = of(server);
      return found === undefined || base === undefined ? '-' : show(medianRatio(found.values, base.values), 'x');
    });
    return [metric, ...cells, ...ratios];
  });
  return [
    '## Side by side',
    `Measured with \`npm run bench:compare\`, round by round in turn, on the same machine: ${servers.join(' and ')}. ` +
      'The same manifests, the same load over HTTP/1.1 and TLS with client certificates.',
    table(['', ...servers, ...others.map((server) => `${server} / ${first}`)], rows),
  ].join('\n\n');
}
