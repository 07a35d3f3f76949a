import type { Metrics } from '@arc/kernel';
import type { ControllerMetrics } from './run-controller.ts';

/** Seconds. */
const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Counts work queues and reconciles under the names controller-runtime uses. */
export function controllerMetrics(metrics: Metrics): ControllerMetrics {
  const depth = metrics.gauge({ name: 'workqueue_depth', help: 'Requests waiting for a worker.', labels: ['name'] });
  const duration = metrics.histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'Time one request took.',
    labels: ['name'],
    buckets,
  });
  const retries = metrics.counter({ name: 'workqueue_retries_total', help: 'Requests put back to be tried again.', labels: ['name'] });
  const reconciles = metrics.counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciles by how they ended: success, requeue_after, error (retried) or terminal (not retried).',
    labels: ['controller', 'result'],
  });
  return {
    queueDepth: (name, waiting) => depth.set({ name }, waiting),
    reconciled: (name, outcome, durationMs) => {
      duration.observe({ name }, Math.max(0, durationMs) / 1000);
      reconciles.add({ controller: name, result: outcome === 'requeue' ? 'requeue_after' : outcome });
      retries.add({ name }, outcome === 'error' ? 1 : 0);
    },
  };
}
