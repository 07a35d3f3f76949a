import type { Clock, Logger } from '@arc/kernel';
import { ArcError, isAbort, messageOf, orAborted, silentLogger, systemClock } from '@arc/kernel';
import { LeaseLock } from './lease-lock.ts';
import type { Attempt, Candidate } from './lease-lock.ts';

/** The defaults are client-go's. */
export interface LeaseTiming {
  /** How long others wait after the last renewal they saw. Default 15 s. */
  readonly leaseMs: number;
  /** A leader that could not renew for so long stops leading. Default 10 s. */
  readonly renewDeadlineMs: number;
  /** Between renewals, and between looks of those that wait; theirs is up to a quarter longer. Default 2 s. */
  readonly retryMs: number;
}

export interface LeaderElectionMetrics {
  leading(lease: string, isLeading: boolean): void;
}

export interface LeaderElectionOptions {
  /**
   * Ends it: whatever leads is told, its lease is renewed until it has ended, and is then released, so that the next one
   * need not wait.
   */
  readonly signal: AbortSignal;
  readonly timing?: Partial<LeaseTiming>;
  /** Called when somebody else is found to lead, once for each time it changes. */
  readonly onFollowing?: (holder: string) => void;
  readonly metrics?: LeaderElectionMetrics;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly random?: () => number;
}

/**
 * Runs while leading. `signal` aborts when the lease is lost, with an ArcError `LeaseLost`, or when the election is to end.
 * `tenure` is the same as that of an earlier call, of an earlier process with the same identity too, if and only if nobody else has
 * led in between.
 */
export type Lead = (signal: AbortSignal, tenure: string) => Promise<void>;

const defaults: LeaseTiming = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000 };
const jitter = 0.25;
const leaseLost = 'LeaseLost';

/** True when this is why a leader was told to stop. */
export function isLeaseLost(reason: unknown): boolean {
  return reason instanceof ArcError && reason.code === leaseLost;
}

/**
 * Calls `lead` whenever this candidate has the lease, again and again until the signal aborts or `lead` ends by itself; then
 * the lease is released.
 *
 * Of all candidates at most one has a signal that is not aborted, as long as their clocks run equally fast (within
 * `leaseMs / renewDeadlineMs`) and none is frozen for longer than the difference of these two; the time of day does not matter.
 * What was already sent when the signal aborted may still take effect: writes are to be guarded by their resourceVersion.
 *
 * @throws ArcError `InvalidConfiguration`; what `lead` throws while it leads
 */
export async function runWhileLeading(candidate: Candidate, lead: Lead, options: LeaderElectionOptions): Promise<void> {
  const { signal, onFollowing, metrics, clock = systemClock, random = Math.random } = options;
  const timing = checked({ ...defaults, ...options.timing });
  const { renewDeadlineMs, retryMs } = timing;
  const { identity, lease } = candidate;
  const logger = (options.logger ?? silentLogger).child({ lease: `${lease.namespace}/${lease.name}`, identity });
  /** Leaves time for a second try before a leader has to give up. */
  const requestMs = renewDeadlineMs / 2;
  const lock = new LeaseLock(candidate, {
    leaseMs: timing.leaseMs,
    cutOffMs: retryMs * (1 + jitter) + requestMs,
    precedenceMs: retryMs * (1 + jitter) + requestMs,
    clock,
  });
  let leader: string | undefined;

  metrics?.leading(lease.name, false);
  for (;;) {
    const held = await acquire();
    if (held === undefined) return;
    if ((await serve(held)) === 'ended') return;
  }

  /** Undefined: the election is to end. */
  async function acquire(): Promise<Extract<Attempt, { held: true }> | undefined> {
    while (!signal.aborted) {
      let waitMs = retryMs * (1 + jitter * random());
      try {
        const attempt = await within(requestMs, { clock, signal }, (bounded) => lock.attempt(bounded));
        if (attempt.held) {
          if (clock.monotonic() < attempt.since + renewDeadlineMs) return attempt;
          continue;
        }
        waitMs = Math.min(waitMs, attempt.freeInMs + retryMs * jitter * random());
        if (attempt.holder !== leader) {
          leader = attempt.holder;
          logger.info('another leads', { holder: leader });
          onFollowing?.(leader);
        }
      } catch (error) {
        if (signal.aborted) return undefined;
        logger.warn('the lease could not be asked for, trying again', { error: messageOf(error) });
      }
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
    return undefined;
  }

  async function serve(held: Extract<Attempt, { held: true }>): Promise<'ended' | 'lost'> {
    leader = identity;
    logger.info('leading', { tenure: held.tenure });
    metrics?.leading(lease.name, true);
    const leading = new AbortController();
    const renewing = new AbortController();
    let isLost = false;
    const lose = (why: string): void => {
      if (isLost || renewing.signal.aborted) return;
      isLost = true;
      metrics?.leading(lease.name, false);
      logger.warn('the lease is lost', { why });
      const error = new ArcError(leaseLost, `the lease ${lease.namespace}/${lease.name} is lost: ${why}`, { retryable: true });
      leading.abort(error);
      renewing.abort(error);
    };
    let deadline: Disposable | undefined;
    const countFrom = (since: number): void => {
      deadline?.[Symbol.dispose]();
      deadline = clock.after(since + renewDeadlineMs - clock.monotonic(), () => lose(`it could not be renewed for ${renewDeadlineMs} ms`));
    };
    const stop = (): void => leading.abort(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    countFrom(held.since);
    const renewals = renew(held.tenure, { until: renewing.signal, countFrom, lose });
    try {
      await lead(leading.signal, held.tenure);
    } catch (error) {
      if (!leading.signal.aborted) throw error;
      if (!isAbort(error) && error !== leading.signal.reason) logger.warn('what was led ended badly', { error: messageOf(error) });
    } finally {
      signal.removeEventListener('abort', stop);
      deadline?.[Symbol.dispose]();
      renewing.abort();
      await renewals;
      if (!isLost) {
        metrics?.leading(lease.name, false);
        await release();
      }
    }
    return isLost && !signal.aborted ? 'lost' : 'ended';
  }

  async function renew(
    tenure: string,
    { until, countFrom, lose }: { until: AbortSignal; countFrom: (since: number) => void; lose: (why: string) => void },
  ): Promise<void> {
    for (;;) {
      await clock.sleep(retryMs, until).catch(() => undefined);
      if (until.aborted) return;
      try {
        const attempt = await within(requestMs, { clock, signal: until }, (bounded) => lock.attempt(bounded));
        if (!attempt.held) lose(`${attempt.holder} has it`);
        else if (attempt.tenure !== tenure) lose('another had it meanwhile');
        else countFrom(attempt.since);
      } catch (error) {
        if (!until.aborted) logger.warn('the lease could not be renewed, trying again', { error: messageOf(error) });
      }
    }
  }

  async function release(): Promise<void> {
    try {
      await within(retryMs, { clock }, (bounded) => lock.release(bounded));
    } catch (error) {
      logger.warn('the lease could not be released, it runs out by itself', { error: messageOf(error) });
    }
  }
}

function checked(timing: LeaseTiming): LeaseTiming {
  const { leaseMs, renewDeadlineMs, retryMs } = timing;
  if (leaseMs > renewDeadlineMs && renewDeadlineMs > retryMs * (1 + jitter) && retryMs > 0) return timing;
  throw new ArcError('InvalidConfiguration', `a lease of ${leaseMs} ms, renewed every ${retryMs} ms for at most ${renewDeadlineMs} ms`, {
    hint: 'The lease has to last longer than the time in which it is renewed, and that longer than the time between two renewals.',
  });
}

/** The outcome of a request, or a rejection when it takes too long or the signal aborts, even if the request does not notice. */
async function within<T>(
  ms: number,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
  request: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const bounded = new AbortController();
  const onAbort = (): void => bounded.abort(signal?.reason);
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  using _timer = clock.after(ms, () => bounded.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError')));
  try {
    return await orAborted(request(bounded.signal), bounded.signal);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
