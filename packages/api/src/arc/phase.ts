/** Phases of an ArtifactWorkflow and of an Order's entry for it; absent means not looked at yet and prints Unknown. */
export type RunPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Error' | 'Active' | 'Stopped';

export type OrderPhase = 'Pending' | 'Running' | 'Active' | 'Succeeded' | 'Failed';

/** Numbers of an Order's runs. Every run is in exactly one of the six besides `total`. */
export interface OrderCounts {
  total: number;
  succeeded: number;
  failed: number;
  running: number;
  /** Admitted or about to be, not yet running. */
  pending: number;
  /** Waits for something that does not exist yet. */
  blocked: number;
  /** Runs on a schedule, whether one is under way or not. */
  scheduled: number;
}

export interface OrderRollUp {
  readonly phase: OrderPhase;
  readonly counts: OrderCounts;
}

/** What the roll-up needs to know of an entry. */
export interface RolledUpRun {
  readonly phase?: string | undefined;
  /** Set when the run waits for an object that does not exist. */
  readonly blocked?: boolean | undefined;
}

const finishedPhases = new Set(['Succeeded', 'Failed', 'Error', 'Stopped']);

/** The reason of a scheduled run, which is Active from first to last, whose last Workflow did not succeed. */
export const lastRunFailed = 'LastRunFailed';

/** True when a run in this phase does not go on by itself. */
export function isFinishedPhase(phase: string | undefined): boolean {
  return phase !== undefined && finishedPhases.has(phase);
}

/** True when a run in this phase has ended without delivering. */
export function hasFailed(phase: string | undefined): boolean {
  return isFinishedPhase(phase) && phase !== 'Succeeded';
}

/**
 * The one roll-up of an Order: what the table, the CLI and the metrics show.
 *
 * Running as long as anything is under way and something has begun; Pending while nothing has begun or all that is left
 * waits for objects that do not exist; Failed once nothing is under way any more and something failed; Active when all that is
 * left are schedules, which never end; Succeeded when every run succeeded, also when there is none.
 */
export function rollUpOrder(runs: Iterable<RolledUpRun>): OrderRollUp {
  const counts: OrderCounts = { total: 0, succeeded: 0, failed: 0, running: 0, pending: 0, blocked: 0, scheduled: 0 };
  for (const run of runs) {
    counts.total += 1;
    counts[bucketOf(run)] += 1;
  }
  return { phase: phaseOf(counts), counts };
}

function bucketOf(run: RolledUpRun): Exclude<keyof OrderCounts, 'total'> {
  switch (run.phase) {
    case 'Succeeded':
      return 'succeeded';
    case 'Failed':
    case 'Error':
    case 'Stopped':
      return 'failed';
    case 'Running':
      return 'running';
    case 'Active':
      return 'scheduled';
    case undefined:
    default:
      return run.blocked === true ? 'blocked' : 'pending';
  }
}

function phaseOf(counts: OrderCounts): OrderPhase {
  const { succeeded, failed, running, pending, blocked, scheduled } = counts;
  if (running + pending > 0) return running + succeeded + failed + scheduled > 0 ? 'Running' : 'Pending';
  if (failed > 0) return 'Failed';
  if (blocked > 0) return 'Pending';
  return scheduled > 0 ? 'Active' : 'Succeeded';
}
