/** What became of one check. `skipped` means that nothing was looked at: it never counts as passed. */
type CheckOutcome = 'passed' | 'failed' | 'skipped' | 'error';

/** One thing that was looked at, or not, and what came of it. */
export interface Check {
  readonly name: string;
  readonly result: CheckOutcome;
  /** What was found, why it failed, why it was skipped, or what kept it from being done. */
  readonly detail: string;
}

/** Longest text of somebody else's that goes into a detail. */
const shownLength = 200;

/** A text from outside, fit for one line: no control characters, bounded length. */
export function shown(text: string): string {
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();
  return clean.length > shownLength ? `${clean.slice(0, shownLength)}...` : clean;
}
