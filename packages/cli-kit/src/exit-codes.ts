import { isAbort } from '@arc/kernel';

/** What a command's exit code says. Documented for users: never renumber. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  forbidden: 4,
  conflict: 5,
  timeout: 6,
  orderFailed: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const byErrorCode: Readonly<Record<string, ExitCode>> = {
  Usage: exitCodes.usage,
  NotFound: exitCodes.notFound,
  UnknownResource: exitCodes.notFound,
  Forbidden: exitCodes.forbidden,
  Unauthorized: exitCodes.forbidden,
  AlreadyExists: exitCodes.conflict,
  Conflict: exitCodes.conflict,
  Timeout: exitCodes.timeout,
  ServerTimeout: exitCodes.timeout,
  OrderFailed: exitCodes.orderFailed,
  Interrupted: exitCodes.interrupted,
};

/** The exit code for something thrown, by its `code`. */
export function exitCodeFor(thrown: unknown): ExitCode {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string') {
    const found = Object.hasOwn(byErrorCode, thrown.code) ? byErrorCode[thrown.code] : undefined;
    if (found !== undefined) return found;
  }
  return isAbort(thrown) ? exitCodes.interrupted : exitCodes.failure;
}
