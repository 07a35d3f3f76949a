import { isAbort, messageOf, silentLogger, systemClock, type Clock, type Logger } from '@arc/kernel';
import type { Store } from './store.ts';

export interface CompactionOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** History younger than this is kept, milliseconds; default 10 minutes. */
  readonly keepMs?: number;
  /** At least this many revisions of history are kept; default 10,000. */
  readonly keepRevisions?: number;
  /** How often to look, milliseconds; default 1 minute. */
  readonly everyMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

interface Sample {
  readonly time: number;
  readonly revision: number;
}

/**
 * Forgets history that is both old and beyond a number of revisions, until the signal aborts. Ages are counted from when
 * a revision was first seen here, so that a restart only ever keeps more and a jump of the clock changes nothing. A store that fails is
 * asked again the next time.
 */
export async function compactRegularly(store: Store, options: CompactionOptions): Promise<void> {
  const { signal, keepMs = 600_000, keepRevisions = 10_000, everyMs = 60_000, clock = systemClock, logger = silentLogger } = options;
  let samples: Sample[] = [];
  for (;;) {
    try {
      samples.push({ time: clock.monotonic(), revision: await store.currentRevision({ signal }) });
      const old = samples.findLast(({ time }) => time <= clock.monotonic() - keepMs)?.revision ?? 0;
      const target = Math.min(old, (samples.at(-1)?.revision ?? 0) - keepRevisions);
      if (target > (await store.compactedRevision())) await store.compact(target);
      samples = samples.filter(({ revision }) => revision >= old);
    } catch (error) {
      if (isAbort(error, signal)) return;
      logger.warn('history could not be compacted', { reason: messageOf(error) });
    }
    try {
      await clock.sleep(everyMs, signal);
    } catch {
      return;
    }
  }
}
