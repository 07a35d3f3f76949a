import type { Clock } from '@arc/kernel';

/** Remembers answers for a while; the least recently asked go first when there are too many. */
export interface AnswerCache<V> {
  /** The answer to a question, asked by `ask` unless it is known or being asked already. Failures are not remembered. */
  answer(key: string, ask: () => Promise<V>): Promise<V>;
}

export interface AnswerCacheOptions<V> {
  readonly clock: Clock;
  readonly maxEntries: number;
  readonly ttlMs: (answer: V) => number;
}

export function answerCache<V>({ clock, maxEntries, ttlMs }: AnswerCacheOptions<V>): AnswerCache<V> {
  const known = new Map<string, { readonly answer: V; readonly until: number }>();
  const asked = new Map<string, Promise<V>>();
  const remember = (key: string, answer: V, until: number): void => {
    known.delete(key);
    known.set(key, { answer, until });
    for (const oldest of known.keys()) {
      if (known.size <= maxEntries) return;
      known.delete(oldest);
    }
  };
  return {
    async answer(key, ask) {
      const entry = known.get(key);
      if (entry !== undefined && clock.now() < entry.until) {
        remember(key, entry.answer, entry.until);
        return entry.answer;
      }
      known.delete(key);
      const running = asked.get(key);
      if (running !== undefined) return running;
      const asking = ask();
      asked.set(key, asking);
      try {
        const answer = await asking;
        const ttl = ttlMs(answer);
        if (ttl > 0) remember(key, answer, clock.now() + ttl);
        return answer;
      } finally {
        asked.delete(key);
      }
    },
  };
}
