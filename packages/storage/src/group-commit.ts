import { messageOf } from '@arc/kernel';
import { StorageError } from './storage-error.ts';
import type { Store, StoreKey, WriteItem, WriteOutcome } from './store.ts';

/**
 * Joins concurrent writes into batches: whatever is pending while the last commit was in flight goes into the next one,
 * a key at most once per batch, in order of arrival per key. To a store of independent writes each is sent at once, still in
 * order of arrival per key.
 */
export interface Writer {
  /**
   * @param signal gives up waiting: a write that has not been sent yet never is, and rejects with the signal's reason.
   * @throws StorageError what the commit failed with; `OutcomeUnknown` when the signal aborts while the commit is in flight
   */
  write(item: WriteItem, signal?: AbortSignal): Promise<WriteOutcome>;
}

export interface WriterOptions {
  /** Most items of one batch; default 512. */
  readonly maxBatch?: number;
  /** Most bytes of values in one batch, though always at least one item; default 8 MiB. */
  readonly maxBatchBytes?: number;
}

interface Pending {
  readonly item: WriteItem;
  sent: boolean;
  readonly resolve: (outcome: WriteOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Returns a Writer over `store`. One commit is in flight at a time, or of a store of independent writes one per key. A commit that fails rejects every write of its batch
 * with that error; later writes are tried anew.
 */
export function createWriter(store: Store, options: WriterOptions = {}): Writer {
  const { maxBatch = 512, maxBatchBytes = 8 * 1024 * 1024 } = options;
  /** Writes that may join the next batch; their keys are distinct. */
  let ready: Pending[] = [];
  /** Every key that is ready or in flight, with the later writes of that key in order of arrival. */
  const successors = new Map<StoreKey, Pending[]>();
  let running = false;

  return {
    async write(item, signal) {
      signal?.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<WriteOutcome>();
      const pending: Pending = { item, sent: false, resolve, reject };
      enqueue(pending);
      if (signal === undefined) return await promise;
      const onAbort = (): void => giveUp(pending, signal);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        return await promise;
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
  };

  function enqueue(pending: Pending): void {
    const { key } = pending.item;
    const queue = successors.get(key);
    if (queue !== undefined) {
      queue.push(pending);
      return;
    }
    successors.set(key, []);
    if (store.independentWrites === true) {
      void commitAlone(pending);
      return;
    }
    ready.push(pending);
    if (running) return;
    running = true;
    // Whatever else this turn of the event loop writes joins the first batch instead of waiting behind it.
    setImmediate(() => void drain());
  }

  function giveUp(pending: Pending, { reason }: AbortSignal): void {
    if (pending.sent) {
      pending.reject(inFlight(reason));
      return;
    }
    const { key } = pending.item;
    if (ready.includes(pending)) {
      const next = releaseKey(key);
      ready = ready.flatMap((other) => (other !== pending ? [other] : next === undefined ? [] : [next]));
    } else {
      const queue = successors.get(key) ?? [];
      queue.splice(queue.indexOf(pending), 1);
    }
    pending.reject(reason);
  }

  async function drain(): Promise<void> {
    while (ready.length > 0) {
      const batch = takeBatch();
      await commit(batch);
      for (const { item } of batch) {
        const next = releaseKey(item.key);
        if (next !== undefined) ready.push(next);
      }
    }
    running = false;
  }

  async function commitAlone(first: Pending): Promise<void> {
    for (let next: Pending | undefined = first; next !== undefined; next = releaseKey(next.item.key)) await commit([next]);
  }

  function takeBatch(): Pending[] {
    let bytes = 0;
    let count = 0;
    for (const { item } of ready) {
      bytes += item.value?.length ?? 0;
      if (count === maxBatch || (count > 0 && bytes > maxBatchBytes)) break;
      count += 1;
    }
    const batch = ready.slice(0, count);
    ready = ready.slice(count);
    return batch;
  }

  async function commit(batch: readonly Pending[]): Promise<void> {
    for (const pending of batch) pending.sent = true;
    try {
      const outcomes = await store.commit(batch.map(({ item }) => item));
      for (const [index, pending] of batch.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined) throw new Error(`the store answered ${outcomes.length} of ${batch.length} writes`);
        pending.resolve(outcome);
      }
    } catch (error) {
      for (const pending of batch) pending.reject(error);
    }
  }

  /** The next write of this key, when there is one. */
  function releaseKey(key: StoreKey): Pending | undefined {
    const next = successors.get(key)?.shift();
    if (next === undefined) successors.delete(key);
    return next;
  }
}

function inFlight(reason: unknown): StorageError {
  return new StorageError('OutcomeUnknown', `waiting for a commit was given up: ${messageOf(reason)}`, {
    hint: 'Read the object again: the write may or may not have happened.',
    cause: reason,
  });
}
