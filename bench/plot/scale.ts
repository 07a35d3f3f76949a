export type ScaleKind = 'linear' | 'log';

/** Maps values to positions along an axis. */
export interface Scale {
  readonly ticks: readonly number[];
  position(value: number): number;
}

export interface ScaleOptions {
  readonly kind: ScaleKind;
  /** Positions of the lowest and the highest value of the axis. */
  readonly from: number;
  readonly to: number;
  /** A tick at each value, which ends the axis with the first and the last of them, instead of at round numbers. */
  readonly ticksAtValues?: boolean;
}

/** A scale that shows all values: linear from 0 to a round number, logarithmic between powers of ten or their 2s and 5s. */
export function scaleFor(values: readonly number[], options: ScaleOptions): Scale {
  const { kind, from, to, ticksAtValues = false } = options;
  const shown = values.filter((value) => Number.isFinite(value) && (kind === 'linear' || value > 0));
  const distinct = [...new Set(shown)].sort((a, b) => a - b);
  if (ticksAtValues && distinct.length > 1) return scaleOver(distinct, options);
  const ticks = kind === 'linear' ? linearTicks(Math.max(0, ...shown)) : logTicks(Math.min(...shown), Math.max(...shown));
  return scaleOver(ticks, { kind, from, to });
}

function scaleOver(ticks: readonly number[], { kind, from, to }: ScaleOptions): Scale {
  const mapped = kind === 'linear' ? (value: number): number => value : Math.log10;
  const low = mapped(ticks[0] ?? 0);
  const high = mapped(ticks.at(-1) ?? 1);
  return { ticks, position: (value) => from + ((mapped(value) - low) / (high - low)) * (to - from) };
}

/** From 0 in four to eight steps of 1, 2 or 5 times a power of ten. */
function linearTicks(highest: number): readonly number[] {
  const top = highest > 0 ? highest : 1;
  const magnitude = 10 ** Math.floor(Math.log10(top));
  const step = [0.2, 0.5, 1, 2].map((factor) => factor * magnitude).find((size) => top / size <= 6) ?? 2 * magnitude;
  const count = Math.ceil(top / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** Powers of ten; with 2 and 5 between them where there would be fewer than three. */
function logTicks(lowest: number, highest: number): readonly number[] {
  if (!Number.isFinite(lowest) || !Number.isFinite(highest)) return [1, 10];
  const decades = Math.log10(highest / lowest);
  const factors = decades > 2 ? [1] : decades > 1 ? [1, 3] : [1, 2, 5];
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(lowest)); power <= Math.ceil(Math.log10(highest)); power += 1) {
    all.push(...factors.map((factor) => Number((factor * 10 ** power).toPrecision(6))));
  }
  const first = Math.max(
    0,
    all.findLastIndex((tick) => tick <= lowest * (1 + 1e-9)),
  );
  const last = all.findIndex((tick) => tick >= highest * (1 - 1e-9));
  const ticks = all.slice(first, last < 0 ? undefined : last + 1);
  return ticks.length > 1 ? ticks : [ticks[0] ?? 1, (ticks[0] ?? 1) * 10];
}
