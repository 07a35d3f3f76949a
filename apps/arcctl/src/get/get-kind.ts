import type { ExitCode } from '@arc/cli-kit';
import type { Invocation } from '../command.ts';
import { getObjects } from './get.ts';

type Run = (invocation: Invocation) => Promise<ExitCode | void>;

/** `arcctl get` for one kind. */
export function getKind(kind: string): Run {
  return async (invocation) => await getObjects({ ...invocation, args: [kind, ...invocation.args] });
}
