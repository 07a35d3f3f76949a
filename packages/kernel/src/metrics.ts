import { ArcError } from './errors.ts';

/** Label values by label name; exactly the names the metric was defined with. */
export type MetricLabels<L extends string> = Readonly<Record<L, string>>;

/** A number that only grows, per combination of label values. */
export interface Counter<L extends string = never> {
  /** @throws ArcError `InvalidMetric` when `by` is negative. */
  add(labels: MetricLabels<L>, by?: number): void;
}

/** A number that comes and goes, per combination of label values. */
export interface Gauge<L extends string = never> {
  set(labels: MetricLabels<L>, value: number): void;
  add(labels: MetricLabels<L>, by: number): void;
  /** Forgets every combination, for a gauge that is filled anew before each exposition and shows nothing of what is gone. */
  clear(): void;
}

/** How many observations fell at or below each bucket's bound, per combination of label values. */
export interface Histogram<L extends string = never> {
  observe(labels: MetricLabels<L>, value: number): void;
}

export interface MetricDefinition<L extends string> {
  /** Prometheus' own naming: `[a-zA-Z_:][a-zA-Z0-9_:]*`, with the unit and, for counters, `_total` at the end. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  readonly labels: readonly L[];
  /**
   * Combinations of label values kept; further ones are counted together under the value `other` of every label, so that
   * no caller can make the process grow. Default 2,000.
   */
  readonly maxSeries?: number;
}

export interface HistogramDefinition<L extends string> extends MetricDefinition<L> {
  /** Upper bounds, ascending, without +Inf. */
  readonly buckets: readonly number[];
}

/** Where a process counts what it does. Defining a name twice throws ArcError `InvalidMetric`. */
export interface Metrics {
  counter<L extends string = never>(definition: MetricDefinition<L>): Counter<L>;
  gauge<L extends string = never>(definition: MetricDefinition<L>): Gauge<L>;
  histogram<L extends string = never>(definition: HistogramDefinition<L>): Histogram<L>;
  /** Calls `collect` before each exposition, to set gauges whose values are only looked up. */
  beforeExposition(collect: () => void): void;
  /** Every metric in Prometheus' text format, version 0.0.4; those defined first come first. */
  exposition(): string;
}

const defaultMaxSeries = 2_000;

export function createMetrics(): Metrics {
  const families = new Map<string, Family>();
  const collectors: (() => void)[] = [];
  const define = <L extends string>(
    type: string,
    definition: MetricDefinition<L>,
    bounds: readonly number[] = [],
  ): { readonly series: SeriesOf<L>; readonly clear: () => void } => {
    assertDefinition(definition, families);
    const family: Family = { type, definition, bounds, series: new Map() };
    families.set(definition.name, family);
    return { series: (labels) => seriesOf(family, definition.labels, labels), clear: () => family.series.clear() };
  };
  return {
    counter: (definition) => {
      const { series } = define('counter', definition);
      return {
        add: (labels, by = 1) => {
          if (!(by >= 0)) throw invalid(definition.name, 'a counter cannot go down');
          series(labels).value += by;
        },
      };
    },
    gauge: (definition) => {
      const { series, clear } = define('gauge', definition);
      return {
        clear,
        set: (labels, value) => void (series(labels).value = value),
        add: (labels, by) => void (series(labels).value += by),
      };
    },
    histogram: (definition) => {
      const { buckets } = definition;
      if (buckets.some((bound, index) => index > 0 && bound <= (buckets[index - 1] ?? bound))) {
        throw invalid(definition.name, 'its buckets do not ascend');
      }
      const { series } = define('histogram', definition, buckets);
      return { observe: (labels, value) => observe(series(labels), buckets, value) };
    },
    beforeExposition: (collect) => void collectors.push(collect),
    exposition: () => {
      for (const collect of collectors) collect();
      return [...families.values()].flatMap(linesOf).join('');
    },
  };
}

interface Series {
  /** The value; of a histogram the sum of all observations. */
  value: number;
  count: number;
  /** Observations per bucket, not cumulative. */
  readonly counts: number[];
}

interface Family {
  readonly type: string;
  readonly definition: MetricDefinition<string>;
  readonly bounds: readonly number[];
  /** By the text of the labels, `verb="get",code="200"`. */
  readonly series: Map<string, Series>;
}

type SeriesOf<L extends string> = (labels: MetricLabels<L>) => Series;

function seriesOf<L extends string>(family: Family, names: readonly L[], labels: MetricLabels<L>): Series {
  const key = names.map((name) => `${name}="${escapeLabel(labels[name])}"`).join(',');
  const known = family.series.get(key);
  if (known !== undefined) return known;
  const full = family.series.size >= (family.definition.maxSeries ?? defaultMaxSeries);
  const kept = full ? names.map((name) => `${name}="other"`).join(',') : key;
  const series = family.series.get(kept) ?? { value: 0, count: 0, counts: family.bounds.map(() => 0) };
  family.series.set(kept, series);
  return series;
}

function observe(series: Series, bounds: readonly number[], value: number): void {
  series.value += value;
  series.count += 1;
  const at = bounds.findIndex((bound) => value <= bound);
  if (at >= 0) series.counts[at] = (series.counts[at] ?? 0) + 1;
}

function linesOf({ type, definition: { name, help }, bounds, series }: Family): string[] {
  if (series.size === 0) return [];
  const lines = [`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`, `# TYPE ${name} ${type}\n`];
  for (const [labels, { value, count, counts }] of series) {
    if (type !== 'histogram') {
      lines.push(`${name}${braced(labels)} ${numberText(value)}\n`);
      continue;
    }
    let below = 0;
    for (const [index, bound] of bounds.entries()) {
      below += counts[index] ?? 0;
      lines.push(`${name}_bucket${braced(labels, `le="${numberText(bound)}"`)} ${below}\n`);
    }
    lines.push(`${name}_bucket${braced(labels, 'le="+Inf"')} ${count}\n`);
    lines.push(`${name}_sum${braced(labels)} ${numberText(value)}\n`, `${name}_count${braced(labels)} ${count}\n`);
  }
  return lines;
}

function braced(...labels: readonly string[]): string {
  const text = labels.filter((label) => label !== '').join(',');
  return text === '' ? '' : `{${text}}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}

function escapeLabel(value: string): string {
  return /["\\\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value;
}

function assertDefinition(definition: MetricDefinition<string>, families: ReadonlyMap<string, Family>): void {
  const { name, labels } = definition;
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) throw invalid(name, 'its name is not one Prometheus takes');
  const wrong = labels.find((label) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) || label === 'le');
  if (wrong !== undefined) throw invalid(name, `the label ${JSON.stringify(wrong)} is not one Prometheus takes`);
  if (families.has(name)) throw invalid(name, 'it is defined twice');
}

function invalid(name: string, why: string): ArcError {
  return new ArcError('InvalidMetric', `the metric ${JSON.stringify(name)} cannot be used: ${why}`, {
    hint: 'Correct where the metric is defined or counted.',
  });
}
