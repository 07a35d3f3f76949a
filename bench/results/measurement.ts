import type { BackendName } from '../server/backends.ts';

export type Unit = 'ms' | '1/s' | 'bytes' | 'x' | 'count';

/** One thing that was measured, several times. */
export interface Measurement {
  /** Name of the bench. */
  readonly bench: string;
  /** `none`: a baseline, or a program as a whole. */
  readonly backend: BackendName | 'none';
  /** What was measured, in words that name it within its bench. */
  readonly metric: string;
  /** What was varied: `writers`, `objects`, `watchers` ... */
  readonly at: Readonly<Record<string, number | string>>;
  readonly unit: Unit;
  /** One for each round. */
  readonly values: readonly number[];
  /** What of the same run it stands beside: measured in turn with it, round by round, or once. */
  readonly baseline?: { readonly name: string; readonly values: readonly number[] };
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  /** Versions of the databases. */
  readonly versions: Readonly<Record<string, string>>;
}

/** The JSON file a run leaves behind. */
export interface Results {
  readonly date: string;
  readonly size: string;
  readonly machine: Machine;
  readonly measurements: readonly Measurement[];
  /** What was not measured, and why. */
  readonly skipped: readonly string[];
}
