import { median, show } from '../statistics/summary.ts';
import type { Measurement } from './measurement.ts';

/** Takes in what benches measure, and shows it as it comes. */
export interface Recorder {
  readonly measurements: readonly Measurement[];
  readonly skipped: readonly string[];
  record(measurement: Measurement): void;
  skip(what: string): void;
}

export function createRecorder(print: (line: string) => void): Recorder {
  const measurements: Measurement[] = [];
  const skipped: string[] = [];
  return {
    measurements,
    skipped,
    record: (measurement) => {
      measurements.push(measurement);
      print(lineOf(measurement));
    },
    skip: (what) => {
      skipped.push(what);
      print(`skipped: ${what}`);
    },
  };
}

function lineOf({ backend, metric, at, unit, values, baseline }: Measurement): string {
  const where = Object.entries(at).map(([name, value]) => `${name}=${value}`);
  const spread = values.length > 1 ? ` (${show(Math.min(...values), unit)} .. ${show(Math.max(...values), unit)})` : '';
  const beside = baseline === undefined ? '' : `   ${baseline.name}: ${show(median(baseline.values), unit)}`;
  return `  ${backend.padEnd(8)} ${[metric, ...where].join(' ').padEnd(64)} ${show(median(values), unit)}${spread}${beside}`;
}
