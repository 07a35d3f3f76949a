import type { Unit } from '../results/measurement.ts';

/** The value below which `share` (0..1) of all lie: the nearest rank, so always one that was measured. NaN of nothing. */
export function percentile(values: Iterable<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** The middle one, or the mean of the two in the middle. NaN of nothing. */
export function median(values: Iterable<number>): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

/** The median of a divided by b, round by round where both were measured in the same rounds. */
export function medianRatio(a: readonly number[], b: readonly number[]): number {
  return a.length === b.length ? median(a.map((value, round) => value / (b[round] ?? Number.NaN))) : median(a) / median(b);
}

/** Three significant digits, with the unit: `0.412 ms`, `1.2 s`, `15,300/s`, `1.50 KB`. */
export function show(value: number, unit: Unit): string {
  switch (unit) {
    case 'ms':
      return value >= 10_000 ? `${digits(value / 1000)} s` : `${digits(value)} ms`;
    case '1/s':
      return `${digits(value)}/s`;
    case 'bytes':
      return bytes(value);
    case 'x':
      return `${digits(value)}x`;
    case 'count':
      return digits(value);
  }
}

function bytes(value: number): string {
  if (Math.abs(value) < 1000) return `${digits(value)} B`;
  for (const [name, size] of [
    ['KB', 1e3],
    ['MB', 1e6],
  ] as const) {
    if (Math.abs(value) < 1000 * size) return `${digits(value / size)} ${name}`;
  }
  return `${digits(value / 1e9)} GB`;
}

function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const fraction = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const rounded = Number(value.toPrecision(3));
  return rounded.toLocaleString('en-US', { minimumFractionDigits: fraction, maximumFractionDigits: fraction });
}
