import type { ArtifactWorkflowSpec, Order } from '@arc/api/arc';
import { parseDuration } from '@arc/kernel';

/** What is known about the end of a run. */
interface Ending {
  readonly phase?: string | undefined;
  readonly completionTime?: string | undefined;
  readonly failureTime?: string | undefined;
}

export interface RetentionRules extends Pick<ArtifactWorkflowSpec, 'ttlAfterFinished' | 'ttlAfterFailed'> {
  /** The Order's `TTLSecondsAfterCompletion`. */
  readonly secondsAfterCompletion?: number | undefined;
}

/**
 * When a run that has ended may be removed, in milliseconds since the epoch; undefined keeps it. The Order's
 * `TTLSecondsAfterCompletion` (0: at once) wins over the type's times (0: keep).
 */
export function runExpiry(ending: Ending, rules: RetentionRules): number | undefined {
  const succeeded = ending.phase === 'Succeeded';
  const ended = Date.parse((succeeded ? ending.completionTime : (ending.failureTime ?? ending.completionTime)) ?? '');
  if (Number.isNaN(ended)) return undefined;
  if (rules.secondsAfterCompletion !== undefined) return ended + Math.max(0, rules.secondsAfterCompletion) * 1000;
  const ttl = positiveDuration(succeeded ? rules.ttlAfterFinished : rules.ttlAfterFailed);
  return ttl === undefined ? undefined : ended + ttl;
}

/** When an Order is to be removed, counted from its creation; undefined keeps it. */
export function orderExpiry(order: Order): number | undefined {
  const created = Date.parse(order.metadata.creationTimestamp ?? '');
  const ttl = positiveDuration(order.spec?.ttl);
  return Number.isNaN(created) || ttl === undefined ? undefined : created + ttl;
}

/** What is stored may be older than its validation: a duration nobody can read keeps. */
function positiveDuration(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    const ms = parseDuration(text);
    return ms > 0 ? ms : undefined;
  } catch {
    return undefined;
  }
}
