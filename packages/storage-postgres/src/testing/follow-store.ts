import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '@arc/kernel';
import type { ChangeEvent, Store } from '@arc/storage';

export interface Following {
  readonly events: readonly ChangeEvent[];
  /** How often the feed failed and was resumed. */
  readonly interruptions: number;
  /** Resolves when everything up to `revision` was delivered. */
  reached(revision: number): Promise<void>;
  stop(): Promise<void>;
}

/** Follows a store from the beginning as a server does: a feed that fails is resumed from the last revision. */
export function followStore(store: Store): Following {
  const stop = new AbortController();
  const events: ChangeEvent[] = [];
  let revision = 0;
  let interruptions = 0;
  const ended = (async () => {
    while (!stop.signal.aborted) {
      try {
        for await (const batch of store.changes(revision, stop.signal)) {
          events.push(...batch.events);
          revision = batch.revision;
        }
      } catch (error) {
        if (codeOf(error) !== 'Unavailable') throw error;
        interruptions += 1;
        await delay(20);
      }
    }
  })();
  return {
    events,
    get interruptions() {
      return interruptions;
    },
    async reached(wanted) {
      while (revision < wanted) await Promise.race([delay(5), ended]);
    },
    async stop() {
      stop.abort();
      await ended;
    },
  };
}
