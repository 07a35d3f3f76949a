import type { Streams } from './streams.ts';

/** Asks a question on a terminal; only `y` or `yes` is one. False where there is nobody to ask. */
export async function confirm({ stdin, stderr }: Streams, question: string): Promise<boolean> {
  if (!stdin.isTerminal) return false;
  stderr.write(`${question} [y/N] `);
  let answer = '';
  for await (const chunk of stdin) {
    answer += Buffer.from(chunk).toString('utf8');
    if (answer.includes('\n')) break;
  }
  return /^y(?:es)?\s*$/i.test(answer.split('\n')[0]?.trim() ?? '');
}
