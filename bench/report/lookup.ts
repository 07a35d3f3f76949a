import type { Measurement, Results } from '../results/measurement.ts';
import { median } from '../statistics/summary.ts';

export interface Wanted {
  readonly bench: string;
  readonly metric: string;
  /** Absent: any. */
  readonly backend?: Measurement['backend'];
  /** These and perhaps more. */
  readonly at?: Measurement['at'];
}

export function findAll({ measurements }: Pick<Results, 'measurements'>, wanted: Wanted): readonly Measurement[] {
  return measurements.filter(
    ({ bench, backend, metric, at }) =>
      bench === wanted.bench &&
      metric === wanted.metric &&
      (wanted.backend === undefined || backend === wanted.backend) &&
      Object.entries(wanted.at ?? {}).every(([name, value]) => at[name] === value),
  );
}

/** The median of what was measured, undefined when it was not. */
export function valueOf(results: Pick<Results, 'measurements'>, wanted: Wanted): number | undefined {
  const [found] = findAll(results, wanted);
  return found === undefined ? undefined : median(found.values);
}

/** The values that a parameter takes in some measurements, ascending. */
export function valuesOfParameter(measurements: readonly Measurement[], name: string): readonly number[] {
  const values = new Set(measurements.map(({ at }) => at[name]).filter((value) => typeof value === 'number'));
  return [...values].sort((a, b) => a - b);
}
