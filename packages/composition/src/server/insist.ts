import { ArcError, backoffDelay, codeOf, messageOf } from '@arc/kernel';
import type { Clock, Logger } from '@arc/kernel';

export interface Insistence {
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
  /** True for what nobody mends while the program runs, such as its command line: it is thrown. Default: nothing is. */
  readonly isHopeless?: (error: unknown) => boolean;
  /** Told why it did not succeed yet, and undefined in the end. */
  readonly onProblem?: (problem: string | undefined) => void;
}

/** Somebody who mends what is missing is not to wait for long. */
const delays = { initialMs: 500, maxMs: 5_000 };

/**
 * Tries until it succeeds, for what somebody else has to mend: says what is wrong and what to do when that changes, once, and
 * when it is over.
 *
 * @throws the reason of the signal, and what is hopeless
 */
export async function insist<T>(what: string, attempt: (signal: AbortSignal) => Promise<T>, options: Insistence): Promise<T> {
  const { signal, clock, logger, isHopeless, onProblem } = options;
  let said: string | undefined;
  for (let failures = 0; ; failures++) {
    try {
      const result = await attempt(signal);
      if (said !== undefined) logger.info(`${what}: mended`, { failures });
      onProblem?.(undefined);
      return result;
    } catch (error) {
      signal.throwIfAborted();
      if (isHopeless?.(error) === true) throw error;
      const problem = messageOf(error);
      if (problem !== said) {
        const hint = error instanceof ArcError ? error.hint : undefined;
        logger.error(`${what}: trying again until it is mended`, { code: codeOf(error), problem, ...(hint !== undefined && { hint }) });
        failures = 0;
      }
      said = problem;
      onProblem?.(problem);
    }
    await clock.sleep(backoffDelay(failures, delays), signal);
  }
}
