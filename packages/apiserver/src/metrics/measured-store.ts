import { type Clock, codeOf, type Metrics } from '@arc/kernel';
import type { Store } from '@arc/storage';

/** Seconds. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The same store, with the duration and failures of every call counted. */
export function measuredStore(store: Store, metrics: Metrics, clock: Clock): Store {
  const duration = metrics.histogram({
    name: 'apiserver_storage_operation_duration_seconds',
    help: 'Time the store took, by operation.',
    labels: ['operation'],
    buckets,
  });
  const errors = metrics.counter({
    name: 'apiserver_storage_operation_errors_total',
    help: 'Calls of the store that failed, by operation and reason.',
    labels: ['operation', 'code'],
    maxSeries: 100,
  });
  const written = metrics.counter({
    name: 'apiserver_storage_writes_total',
    help: 'Writes by outcome; conflict means that the value had changed meanwhile.',
    labels: ['outcome'],
  });
  const measured = async <T>(operation: string, call: () => Promise<T>): Promise<T> => {
    const begun = clock.monotonic();
    try {
      return await call();
    } catch (error) {
      errors.add({ operation, code: codeOf(error) ?? 'Unknown' });
      throw error;
    } finally {
      duration.observe({ operation }, (clock.monotonic() - begun) / 1000);
    }
  };
  return {
    ...(store.independentWrites !== undefined && { independentWrites: store.independentWrites }),
    commit: async (batch) => {
      const outcomes = await measured('commit', () => store.commit(batch));
      for (const { committed } of outcomes) written.add({ outcome: committed ? 'committed' : 'conflict' });
      return outcomes;
    },
    get: (key, options) => measured('get', () => store.get(key, options)),
    range: (options) => measured('range', () => store.range(options)),
    currentRevision: (options) => measured('currentRevision', () => store.currentRevision(options)),
    changes: (after, signal) => store.changes(after, signal),
    compact: (revision) => measured('compact', () => store.compact(revision)),
    compactedRevision: () => measured('compactedRevision', () => store.compactedRevision()),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
