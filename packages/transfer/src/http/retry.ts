import { backoffDelay } from '@arc/kernel';
import { TransferError } from '../transfer-error.ts';

export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly attempts: number;
  readonly initialMs: number;
  readonly maxMs: number;
  /** Longest `Retry-After` that is honoured. */
  readonly maxRetryAfterMs: number;
  readonly random?: () => number;
}

export const defaultRetryPolicy: RetryPolicy = { attempts: 6, initialMs: 500, maxMs: 30_000, maxRetryAfterMs: 15 * 60_000 };

const retryableStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

export function isRetryableStatus(status: number): boolean {
  return retryableStatuses.has(status);
}

/** Milliseconds until retry number `attempt` (0 = first): what the server asked for, else full-jitter backoff. */
export function retryDelay(policy: RetryPolicy, attempt: number, error: unknown): number {
  const asked = error instanceof TransferError ? error.retryAfterMs : undefined;
  if (asked !== undefined) return Math.min(asked, policy.maxRetryAfterMs);
  return backoffDelay(attempt, { ...policy, jitter: 1 });
}

/** Reads Retry-After (RFC 9110, 10.2.3), seconds or a date, as milliseconds from `now`. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
