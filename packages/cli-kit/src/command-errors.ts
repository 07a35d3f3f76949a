import { ArcError, codeOf, messageOf } from '@arc/kernel';
import type { ArcErrorOptions } from '@arc/kernel';
import { styleFor } from './color.ts';
import type { OutputStream } from './streams.ts';
import { escapeControls } from './text.ts';

/** The command line itself is wrong: exit code 2. */
export class UsageError extends ArcError {
  constructor(message: string, options: Omit<ArcErrorOptions, 'retryable'> = {}) {
    super('Usage', message, options);
  }
}

export interface ErrorReportOptions {
  /** One JSON object instead of text, for callers that asked for `-o json`. */
  readonly json?: boolean;
  /** Adds the stack and the chain of causes. */
  readonly verbose?: boolean;
}

/** Writes what went wrong: `error[Code]: message`, and what to do about it. */
export function reportError(output: OutputStream, thrown: unknown, options: ErrorReportOptions = {}): void {
  const code = codeOf(thrown) ?? 'Unexpected';
  const message = messageOf(thrown);
  const hint = thrown instanceof ArcError ? thrown.hint : undefined;
  const details = thrown instanceof ArcError && Object.keys(thrown.details).length > 0 ? thrown.details : undefined;
  if (options.json === true) {
    output.write(
      `${JSON.stringify({ error: { code, message, ...(hint !== undefined && { hint }), ...(details !== undefined && { details }) } })}\n`,
    );
    return;
  }
  const style = styleFor(output);
  output.write(`${style.red(style.bold(`error[${code}]`))}: ${escapeControls(message)}\n`);
  if (hint !== undefined) output.write(`${style.cyan('hint')}: ${escapeControls(hint)}\n`);
  if (options.verbose === true) output.write(`${style.dim(escapeControls(traceOf(thrown)))}\n`);
}

function traceOf(thrown: unknown): string {
  const own = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause === undefined ? own : `${own}\ncaused by: ${traceOf(cause)}`;
}
