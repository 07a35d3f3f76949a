import type { Results, Unit } from '../results/measurement.ts';
import { median, show } from '../statistics/summary.ts';
import type { Curve } from './curves.ts';
import { findAll, type Wanted } from './lookup.ts';

/** Median, and the lowest and highest of several rounds; a dash for what was not measured. */
export function cell(results: Results, wanted: Wanted): string {
  const [found] = findAll(results, wanted);
  if (found === undefined) return '-';
  const { values, unit } = found;
  return values.length > 1 ? `${show(median(values), unit)} (${range(values, unit)})` : show(median(values), unit);
}

/** The median alone. */
export function medianCell(results: Results, wanted: Wanted): string {
  const [found] = findAll(results, wanted);
  return found === undefined ? '-' : show(median(found.values), found.unit);
}

/** `6,120-7,900` where the units are those of the median, so that tables stay narrow. */
function range(values: readonly number[], unit: Unit): string {
  const ends = [Math.min(...values), median(values), Math.max(...values)].map((value) => show(value, unit));
  const suffixes = new Set(ends.map((text) => text.replace(/^[\d.,]+/, '')));
  const [low = '', , high = ''] = suffixes.size === 1 ? ends.map((text) => /^[\d.,]+/.exec(text)?.[0] ?? text) : ends;
  return `${low}-${high}`;
}

export function image(curves: readonly Curve[], file: string): string {
  const curve = curves.find((each) => each.file === file);
  return curve === undefined ? '' : `![${curve.plot.title}](performance/${file})`;
}
