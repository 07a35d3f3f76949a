import { readText, UsageError } from '@arc/cli-kit';
import { hasFlag } from '../command.ts';
import type { Invocation } from '../command.ts';

/**
 * What --password-stdin reads, without the line feed at its end; undefined when it was not given. A password on the command
 * line would be seen by every user of the machine.
 *
 * @throws UsageError
 */
export async function passwordFrom(invocation: Invocation): Promise<string | undefined> {
  if (!hasFlag(invocation, 'passwordStdin')) return undefined;
  const { stdin } = invocation.streams;
  // A terminal would show what is typed.
  if (stdin.isTerminal) throw new UsageError('--password-stdin reads a file or a pipe, not a terminal', { hint: 'Write < FILE after it.' });
  const password = (await readText(stdin)).replace(/\r?\n$/, '');
  if (password === '') throw new UsageError('the password on standard input is empty');
  return password;
}

/** As Secrets hold it. */
export function inBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
