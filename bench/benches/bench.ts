import type { Recorder } from '../results/recorder.ts';
import type { BackendName } from '../server/backends.ts';
import type { Plan } from '../plan.ts';

/** Something to measure. */
export interface Bench {
  /** As `npm run bench` takes it. */
  readonly name: string;
  /** One line of what it measures. */
  readonly about: string;
  /** Run once for each of these, or once at all. */
  readonly backends: 'each' | 'none';
  run(context: BenchContext): Promise<void>;
}

interface BenchContext {
  readonly backend: BackendName;
  readonly plan: Plan;
  readonly recorder: Recorder;
}
