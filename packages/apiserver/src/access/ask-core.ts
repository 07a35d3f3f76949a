import { ApiStatusError } from '@arc/apimachinery';
import { ArcError, backoffDelay, type Clock } from '@arc/kernel';

/** For one question, its repetitions included. */
const timeoutMs = 10_000;
const attempts = 5;
const backoff = { initialMs: 500, maxMs: 5_000, factor: 1.5 };

/**
 * Asks the core API a question that changes nothing, again while it does not answer, for 10 seconds at most (wire contract
 * 6.3). Not ended by the request that asks first: others may be waiting for the same answer.
 *
 * @throws what the last attempt threw, ArcError `Timeout` when there was no time for one.
 */
export async function askCore<T>(clock: Clock, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  using _timer = clock.after(timeoutMs, () =>
    deadline.abort(new ArcError('Timeout', `no answer within ${timeoutMs / 1000} s`, { retryable: true })),
  );
  let failure: unknown;
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      return await ask(deadline.signal);
    } catch (error) {
      failure = error;
      if (deadline.signal.aborted || !mayPass(error)) throw error;
    }
    const waited = clock.sleep(backoffDelay(attempt, backoff), deadline.signal);
    if (attempt + 1 < attempts && !(await waited.then(isTrue, isFalse))) throw failure;
  }
  throw failure;
}

const isTrue = (): boolean => true;
const isFalse = (): boolean => false;

function mayPass(error: unknown): boolean {
  if (error instanceof ApiStatusError) return error.httpCode >= 500 || error.httpCode === 429;
  return error instanceof ArcError && error.retryable;
}
