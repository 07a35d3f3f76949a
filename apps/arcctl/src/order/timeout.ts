import { UsageError } from '@arc/cli-kit';
import { messageOf, parseDuration } from '@arc/kernel';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';

/** The milliseconds of --timeout; undefined when it was not given. */
export function timeoutFrom(invocation: Invocation): number | undefined {
  const text = textOption(invocation, 'timeout');
  if (text === undefined) return undefined;
  let ms: number;
  try {
    ms = parseDuration(text);
  } catch (error) {
    throw new UsageError(`--timeout: ${messageOf(error)}`, { hint: 'Write for example 90s, 15m or 1h30m.' });
  }
  if (ms > 0) return ms;
  throw new UsageError(`--timeout must be longer than nothing, not ${text}`);
}
