/**
 * Runs `work` for each item, at most `limit` at a time, in order. After the first failure nothing new is started; it is
 * thrown once what runs has ended. `work` gets a signal that aborts then.
 */
export async function forEachBounded<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const queue = items[Symbol.iterator]();
  let failure: { readonly reason: unknown } | undefined;
  const lane = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true && !stop.aborted; next = queue.next()) {
      try {
        await work(next.value, stop);
      } catch (error) {
        failure ??= { reason: error };
        failed.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, limit) }, lane));
  signal?.throwIfAborted();
  if (failure !== undefined) throw failure.reason;
}
