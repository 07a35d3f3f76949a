import { orAborted } from '@arc/kernel';

/** Lets one caller at a time work on a key; others queue in order of arrival. */
export interface KeyedLock {
  /** Rejects with the signal's reason when it aborts before the work has begun, which then never does. */
  run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

/**
 * Read-modify-write cycles on one object exclude each other within this process, so that patches without a
 * resourceVersion do not starve one another in compare-and-swap retries.
 */
export function keyedLock(): KeyedLock {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async run(key, signal, work) {
      const previous = tails.get(key) ?? Promise.resolve();
      const turn = orAborted(previous, signal).then(work);
      // Whoever gives up waiting leaves those behind it still waiting for those before it.
      const tail = Promise.all([previous, turn.catch(() => undefined)]);
      tails.set(key, tail);
      try {
        return await turn;
      } finally {
        if (tails.get(key) === tail) tails.delete(key);
      }
    },
  };
}
