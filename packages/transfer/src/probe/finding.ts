/** The content of one condition: a status, a reason in one word, and a sentence of ours. */
export interface ProbeFinding {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export interface ProbeResult {
  readonly reachable: ProbeFinding;
  readonly authenticated: ProbeFinding;
}

type Finding = (reason: string, message: string) => ProbeFinding;

export const yes: Finding = (reason, message) => ({ status: 'True', reason, message });
export const no: Finding = (reason, message) => ({ status: 'False', reason, message });
export const unknown: Finding = (reason, message) => ({ status: 'Unknown', reason, message });
