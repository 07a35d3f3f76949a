import type { Results, Unit } from '../results/measurement.ts';
import { show } from '../statistics/summary.ts';
import { backendNames, type BackendName } from '../server/backends.ts';
import { backendTitle } from './curves.ts';
import { valueOf, type Wanted } from './lookup.ts';
import { table } from './markdown.ts';

const begin = '<!-- Figures made by `npm run bench:report` -->';
const end = '<!-- End of figures -->';

/** A figure that every storage has one of. */
export interface Figure {
  readonly what: string;
  readonly unit: Unit;
  readonly wanted: Omit<Wanted, 'backend'>;
}

export function figure(what: string, unit: Unit, wanted: Omit<Wanted, 'backend'>): Figure {
  return { what, unit, wanted };
}

/** The figures that were measured, a column for each storage, with where they are from. */
export function figuresTable(results: Results, figures: readonly Figure[]): string {
  const values = (backend: BackendName): readonly (number | undefined)[] =>
    figures.map(({ wanted }) => valueOf(results, { ...wanted, backend }));
  const backends = backendNames.filter((backend) => values(backend).some((value) => value !== undefined));
  const measured = figures.filter(({ wanted }) => backends.some((backend) => valueOf(results, { ...wanted, backend }) !== undefined));
  const { cpu, cores } = results.machine;
  const cell = ({ wanted, unit }: Figure, backend: BackendName): string => {
    const value = valueOf(results, { ...wanted, backend });
    return value === undefined ? '-' : show(value, unit);
  };
  return [
    table(
      ['', ...backends.map(backendTitle)],
      measured.map((each) => [each.what, ...backends.map((backend) => cell(each, backend))]),
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
