import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '@arc/kernel';
import type { ChangeBatch, ChangeEvent, Store } from '../store.ts';

export interface Following extends AsyncDisposable {
  readonly batches: readonly ChangeBatch[];
  /** Of all batches. */
  readonly events: readonly ChangeEvent[];
  /** Of the last batch. */
  readonly revision: number;
  /** How often the feed failed and was resumed. */
  readonly interruptions: number;
  /** Resolves when everything up to `revision` was delivered; rejects with what ended the feed. */
  reached(revision: number): Promise<void>;
  /** @throws whatever ended the feed before */
  stop(): Promise<void>;
}

/** Follows a store as a server does, from its beginning or `after`: a feed that is `Unavailable` is resumed from the last revision. */
export function followStore(store: Store, { after = 0 }: { readonly after?: number } = {}): Following {
  const stopping = new AbortController();
  const batches: ChangeBatch[] = [];
  const events: ChangeEvent[] = [];
  let revision = after;
  let interruptions = 0;
  let advanced = Promise.withResolvers<void>();
  const ended = follow();
  // Whoever waits or stops is told.
  ended.catch(() => {});

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        for await (const batch of store.changes(revision, stopping.signal)) {
          batches.push(batch);
          events.push(...batch.events);
          revision = batch.revision;
          advanced.resolve();
          advanced = Promise.withResolvers();
        }
      } catch (error) {
        if (codeOf(error) !== 'Unavailable') throw error;
        interruptions += 1;
        await delay(20);
      }
    }
  }
  async function stop(): Promise<void> {
    stopping.abort();
    await ended;
  }
  return {
    batches,
    events,
    get revision() {
      return revision;
    },
    get interruptions() {
      return interruptions;
    },
    async reached(wanted) {
      while (revision < wanted) {
        if (stopping.signal.aborted) throw new Error(`following was stopped at ${revision}, before ${wanted}`);
        await Promise.race([advanced.promise, ended]);
      }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
