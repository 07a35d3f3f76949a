import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '@arc/kernel';
import { controllerMetrics } from './controller-metrics.ts';

test('work queues and reconciles are counted under the names of controller-runtime', () => {
  const metrics = createMetrics();
  const counted = controllerMetrics(metrics);
  counted.queueDepth('orders', 3);
  counted.reconciled('orders', 'success', 20);
  counted.reconciled('orders', 'requeue', 20);
  counted.reconciled('orders', 'error', 2_000);
  const lines = metrics.exposition().split('\n');
  for (const line of [
    'workqueue_depth{name="orders"} 3',
    'workqueue_work_duration_seconds_bucket{name="orders",le="0.025"} 2',
    'workqueue_work_duration_seconds_count{name="orders"} 3',
    'workqueue_retries_total{name="orders"} 1',
    'controller_runtime_reconcile_total{controller="orders",result="requeue_after"} 1',
    'controller_runtime_reconcile_total{controller="orders",result="error"} 1',
  ]) {
    assert.ok(lines.includes(line), line);
  }
});
