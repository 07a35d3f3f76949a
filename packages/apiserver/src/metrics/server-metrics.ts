import type { Metrics } from '@arc/kernel';
import type { WatchCache } from '@arc/storage';
import type { FlowControl } from '../http/in-flight.ts';
import type { Encodings } from '../representation/encodings.ts';
import type { Registry } from '../registry/registry.ts';

export interface ObservedParts {
  readonly encodings: Encodings;
  readonly registry: Registry;
  readonly cache: WatchCache;
  readonly flow: FlowControl;
}

/** Gauges that are looked up whenever somebody asks: places taken, objects held, how far the watch cache is. */
export function observeServer(metrics: Metrics, { registry, cache, flow, encodings }: ObservedParts): void {
  const inFlight = metrics.gauge({
    name: 'apiserver_current_inflight_requests',
    help: 'Requests being served that count against the limits.',
    labels: ['request_kind'],
  });
  const objects = metrics.gauge({
    name: 'apiserver_storage_objects',
    help: 'Objects stored, by resource.',
    labels: ['resource'],
  });
  const revision = metrics.gauge({
    name: 'apiserver_watch_cache_resource_version',
    help: 'The revision up to which the watch cache has applied the changes of the store.',
    labels: [],
  });
  const undecodable = metrics.gauge({
    name: 'apiserver_watch_cache_undecodable_objects',
    help: 'Stored values left out of every answer because they are no objects.',
    labels: [],
  });
  const bytes = metrics.gauge({
    name: 'apiserver_watch_cache_bytes',
    help: 'Bytes held for reads and watches: objects, past content, encoded events, table cells and converted objects, compressed lists.',
    labels: ['part'],
  });
  const history = metrics.gauge({
    name: 'apiserver_watch_cache_history_events',
    help: 'Past events held, from which watches resume and old snapshots are served.',
    labels: [],
  });
  const watchers = metrics.gauge({ name: 'apiserver_watch_cache_watchers', help: 'Watches being fed.', labels: [] });
  const slow = metrics.counter({
    name: 'apiserver_watch_cache_slow_watchers_closed_total',
    help: 'Watches closed because their clients did not keep up.',
    labels: [],
  });
  const lag = metrics.gauge({
    name: 'apiserver_watch_cache_lag_seconds',
    help: 'How long the watch cache has been known to lack what the store has, or has been cut off from it; 0 when it is up to date.',
    labels: [],
  });
  const loaded = metrics.gauge({
    name: 'apiserver_watch_cache_loaded',
    help: '1 when the watch cache answers reads, 0 while it is being loaded from the store.',
    labels: [],
  });
  let slowCounted = 0;
  metrics.beforeExposition(() => {
    const { reading, mutating } = flow.taken();
    inFlight.set({ request_kind: 'readOnly' }, reading);
    inFlight.set({ request_kind: 'mutating' }, mutating);
    revision.set({}, cache.revision);
    undecodable.set({}, cache.undecodable);
    const usage = cache.usage();
    bytes.set({ part: 'objects' }, usage.bytes.objects);
    bytes.set({ part: 'history' }, usage.bytes.history);
    bytes.set({ part: 'event_encodings' }, encodings.events.bytes);
    bytes.set({ part: 'derived_objects' }, encodings.objects.bytes);
    bytes.set({ part: 'deflate_blocks' }, encodings.blocks.bytes);
    history.set({}, usage.historyEvents);
    watchers.set({}, usage.watchers);
    slow.add({}, usage.slowWatchers - slowCounted);
    slowCounted = usage.slowWatchers;
    lag.set({}, usage.behindMs / 1000);
    loaded.set({}, cache.loaded ? 1 : 0);
    for (const { type, cache: held, conversion } of registry.resources) {
      if (held === undefined || conversion !== undefined) continue;
      objects.set({ resource: type.group === '' ? type.plural : `${type.plural}.${type.group}` }, held.size);
    }
  });
}
