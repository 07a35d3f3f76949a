import type { Metrics } from '@arc/kernel';
import type { WatchCache } from '@arc/storage';
import type { FlowControl } from '../http/in-flight.ts';
import type { Registry } from '../registry/registry.ts';

export interface ObservedParts {
  readonly registry: Registry;
  readonly cache: WatchCache;
  readonly flow: FlowControl;
}

/** Gauges that are looked up whenever somebody asks: places taken, objects held, how far the watch cache is. */
export function observeServer(metrics: Metrics, { registry, cache, flow }: ObservedParts): void {
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
  metrics.beforeExposition(() => {
    const { reading, mutating } = flow.taken();
    inFlight.set({ request_kind: 'readOnly' }, reading);
    inFlight.set({ request_kind: 'mutating' }, mutating);
    revision.set({}, cache.revision);
    undecodable.set({}, cache.undecodable);
    for (const { type, cache: held, conversion } of registry.resources) {
      if (held === undefined || conversion !== undefined) continue;
      const { objects: first, remaining = 0 } = held.list({ limit: 1 });
      objects.set({ resource: type.group === '' ? type.plural : `${type.plural}.${type.group}` }, first.length + remaining);
    }
  });
}
