import type { Probe } from '@arc/composition';

/** What the program says about itself at `/healthz` and `/readyz`. */
export interface ProgramHealth {
  readonly probes: readonly Probe[];
  /** Told what of the cluster is missing, and undefined when it is there. */
  readonly onProblem: (problem: string | undefined) => void;
  /** The controllers begin to list what they need. */
  begun(): void;
  /** They work, or another replica's do. */
  settled(): void;
}

/** @param signal aborts when the program is to end */
export function programHealth(signal: AbortSignal): ProgramHealth {
  let missing: string | undefined = 'the cluster has not been looked at yet';
  let waiting: string | undefined = 'it is not known yet who leads';
  return {
    probes: [
      { name: 'ping', problem: () => undefined },
      { name: 'requirements', problem: () => missing },
      { name: 'controllers', problem: () => waiting },
      { name: 'shutdown', problem: () => (signal.aborted ? 'the program is shutting down' : undefined) },
    ],
    onProblem: (problem) => (missing = problem),
    begun: () => (waiting = 'the controllers have not listed all they need yet; the log says what cannot be listed'),
    settled: () => (waiting = undefined),
  };
}
