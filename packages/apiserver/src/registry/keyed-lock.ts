/** Lets one caller at a time work on a key; others queue in order of arrival. */
export interface KeyedLock {
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/**
 * Read-modify-write cycles on one object exclude each other within this process, so that patches without a
 * resourceVersion do not starve one another in compare-and-swap retries.
 */
export function keyedLock(): KeyedLock {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async run(key, work) {
      const previous = tails.get(key);
      const turn = (async () => {
        await previous;
        return work();
      })();
      const tail = turn.catch(() => undefined);
      tails.set(key, tail);
      try {
        return await turn;
      } finally {
        if (tails.get(key) === tail) tails.delete(key);
      }
    },
  };
}
