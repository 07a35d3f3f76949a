import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from './metrics.ts';

test('counters, gauges and histograms in the Prometheus text format', () => {
  const metrics = createMetrics();
  const requests = metrics.counter({ name: 'requests_total', help: 'Requests.', labels: ['verb', 'code'] });
  const temperature = metrics.gauge({ name: 'temperature_celsius', help: 'How warm\nit is.', labels: [] });
  const duration = metrics.histogram({ name: 'duration_seconds', help: 'How long.', labels: ['verb'], buckets: [0.1, 1] });
  assert.equal(metrics.exposition(), '');
  requests.add({ verb: 'GET', code: '200' });
  requests.add({ verb: 'GET', code: '200' }, 2);
  requests.add({ verb: 'a"b\\c\nd', code: '500' });
  metrics.beforeExposition(() => temperature.set({}, 21.5));
  for (const seconds of [0.1, 0.5, 3]) duration.observe({ verb: 'GET' }, seconds);
  assert.equal(
    metrics.exposition(),
    [
      '# HELP requests_total Requests.',
      '# TYPE requests_total counter',
      'requests_total{verb="GET",code="200"} 3',
      'requests_total{verb="a\\"b\\\\c\\nd",code="500"} 1',
      '# HELP temperature_celsius How warm\\nit is.',
      '# TYPE temperature_celsius gauge',
      'temperature_celsius 21.5',
      '# HELP duration_seconds How long.',
      '# TYPE duration_seconds histogram',
      'duration_seconds_bucket{verb="GET",le="0.1"} 1',
      'duration_seconds_bucket{verb="GET",le="1"} 2',
      'duration_seconds_bucket{verb="GET",le="+Inf"} 3',
      'duration_seconds_sum{verb="GET"} 3.6',
      'duration_seconds_count{verb="GET"} 3',
      '',
    ].join('\n'),
  );
});

test('labels nobody bounded cannot make the registry grow', () => {
  const metrics = createMetrics();
  const counter = metrics.counter({ name: 'hits_total', help: 'Hits.', labels: ['path'], maxSeries: 2 });
  for (let path = 0; path < 100; path++) counter.add({ path: String(path) });
  assert.deepEqual(metrics.exposition().split('\n').slice(2), [
    'hits_total{path="0"} 1',
    'hits_total{path="1"} 1',
    'hits_total{path="other"} 98',
    '',
  ]);
});

test('a gauge that is cleared shows only what it is given afterwards, beyond its limit as a sum', () => {
  const metrics = createMetrics();
  const gauge = metrics.gauge({ name: 'orders', help: 'Orders.', labels: ['namespace'], maxSeries: 1 });
  gauge.set({ namespace: 'gone' }, 7);
  gauge.clear();
  for (const namespace of ['a', 'b', 'c']) gauge.add({ namespace }, 2);
  assert.deepEqual(metrics.exposition().split('\n').slice(2), ['orders{namespace="a"} 2', 'orders{namespace="other"} 4', '']);
});

test('what Prometheus would refuse is refused where it is defined', () => {
  const metrics = createMetrics();
  const counter = metrics.counter({ name: 'once_total', help: 'Once.', labels: [] });
  const wrong = { code: 'InvalidMetric' };
  assert.throws(() => counter.add({}, -1), wrong);
  assert.throws(() => metrics.gauge({ name: 'once_total', help: 'Again.', labels: [] }), wrong);
  assert.throws(() => metrics.gauge({ name: 'a-b', help: 'A dash.', labels: [] }), wrong);
  assert.throws(() => metrics.gauge({ name: 'ab', help: 'A label.', labels: ['le'] }), wrong);
  assert.throws(() => metrics.histogram({ name: 'h', help: 'Buckets.', labels: [], buckets: [1, 1] }), wrong);
});
