import type { ExitCode } from '@arc/cli-kit';
import type { Invocation } from '../command.ts';
import { printLogs } from '../logs/logs.ts';

/** `arcctl order logs NAME`. */
export async function printOrderLogs(invocation: Invocation): Promise<ExitCode | void> {
  const [name = ''] = invocation.args;
  return await printLogs({ ...invocation, args: [`order/${name}`] });
}
