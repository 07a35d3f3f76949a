/** One line of the checklist of a release. */
export interface Step {
  readonly name: string;
  /** @returns what was seen, for the line @throws Error that says what is wrong and what to do */
  readonly run: () => string | Skipped;
}

/** A step that could not be made here, which the checklist shows. */
export interface Skipped {
  readonly skipped: string;
}

/**
 * Runs the steps in order, with a line for each, until one fails.
 *
 * @returns whether none failed
 */
export function runChecklist(steps: readonly Step[], print: (line: string) => void): boolean {
  for (const { name, run } of steps) {
    try {
      const seen = run();
      print(typeof seen === 'string' ? `ok       ${name}: ${seen}` : `skipped  ${name}: ${seen.skipped}`);
    } catch (error) {
      print(`FAILED   ${name}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }
  return true;
}
