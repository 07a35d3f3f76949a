import { anySignal } from '@arc/kernel';
import { StorageError, type Store } from '@arc/storage';

/** A store that can make those who follow it load everything anew, and so forget the history that takes minutes to age. */
export interface ForgettingStore extends Store {
  /** Compacts everything, and tells followers that they have missed some of it. */
  forget(): Promise<void>;
}

export function forgettingStore(store: Store): ForgettingStore {
  let missed = new AbortController();
  return {
    commit: (batch) => store.commit(batch),
    get: (key, options) => store.get(key, options),
    range: (options) => store.range(options),
    currentRevision: (options) => store.currentRevision(options),
    compact: (revision) => store.compact(revision),
    compactedRevision: () => store.compactedRevision(),
    async *changes(after, signal) {
      const { signal: lost } = missed;
      yield* store.changes(after, anySignal(signal, lost));
      if (lost.aborted && !signal.aborted) throw new StorageError('Compacted', 'the follower has missed something');
    },
    async forget() {
      await store.compact(await store.currentRevision());
      missed.abort();
      missed = new AbortController();
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
