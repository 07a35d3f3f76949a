import { median, show } from '../statistics/summary.ts';
import type { Measurement } from './measurement.ts';

/** Takes in what benches measure, and shows it as it comes. */
export interface Recorder {
  readonly measurements: readonly Measurement[];
  readonly skipped: readonly string[];
  /** Leaves out rounds without a result, and skips what has none at all. */
  record(measurement: Measurement): void;
  skip(what: string): void;
}

export function createRecorder(print: (line: string) => void): Recorder {
  const measurements: Measurement[] = [];
  const skipped: string[] = [];
  return {
    measurements,
    skipped,
    record(measurement) {
      const found = withoutEmptyRounds(measurement);
      if (found === undefined) {
        this.skip(`${measurement.bench} on ${measurement.backend}: ${measurement.metric}: no round had a result`);
        return;
      }
      measurements.push(found);
      print(lineOf(found));
    },
    skip: (what) => {
      skipped.push(what);
      print(`skipped: ${what}`);
    },
  };
}

/** A round in which nothing was done, or of what is not known, has a value that is not a number. It is no result. */
function withoutEmptyRounds(measurement: Measurement): Measurement | undefined {
  const { values, baseline } = measurement;
  const full = values.map((value, round) => Number.isFinite(value) && Number.isFinite(baseline?.values[round] ?? 0));
  if (full.every(Boolean)) return measurement;
  if (!full.some(Boolean)) return undefined;
  const kept = (all: readonly number[]): readonly number[] => all.filter((value, round) => full[round] ?? Number.isFinite(value));
  return {
    ...measurement,
    values: kept(values),
    ...(baseline !== undefined && { baseline: { ...baseline, values: kept(baseline.values) } }),
  };
}

function lineOf({ backend, metric, at, unit, values, baseline }: Measurement): string {
  const where = Object.entries(at).map(([name, value]) => `${name}=${value}`);
  const spread = values.length > 1 ? ` (${show(Math.min(...values), unit)} .. ${show(Math.max(...values), unit)})` : '';
  const beside = baseline === undefined ? '' : `   ${baseline.name}: ${show(median(baseline.values), unit)}`;
  return `  ${backend.padEnd(8)} ${[metric, ...where].join(' ').padEnd(64)} ${show(median(values), unit)}${spread}${beside}`;
}
