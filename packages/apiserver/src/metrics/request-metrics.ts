import type { Metrics } from '@arc/kernel';
import type { Exchange } from '../http/exchange.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { bodyType } from '../request/media-type.ts';
import { isTrue, type RequestInfo } from '../request/request-info.ts';

interface CountedRequest {
  readonly exchange: Pick<Exchange, 'method' | 'query' | 'header'>;
  /** Undefined when the request target could not be parsed. */
  readonly info: RequestInfo | undefined;
  readonly longRunning: boolean;
}

/** Counts requests under the names and labels of a Kubernetes API server (wire contract 1.5). */
export interface RequestMetrics {
  /** A long-running request has begun; disposing says that it is over. */
  longRunning(request: CountedRequest): Disposable;
  finished(request: CountedRequest, answer: { readonly code: number; readonly durationMs: number }): void;
  /** The answer was cut off before it was complete, by the client or by a failure. */
  aborted(request: CountedRequest): void;
  /** Counts events that are sent to a watcher of the resource. */
  watchEvents(resource: ServedResource): (count: number, bytes: number) => void;
}

type Place = 'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'scope' | 'component';
const placeLabels = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'] as const;

/** Seconds. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 5, 10, 20, 30, 45, 60];

export function requestMetrics(metrics: Metrics, registry: Registry): RequestMetrics {
  const requests = metrics.counter({
    name: 'apiserver_request_total',
    help: 'Requests by what they asked for and how they were answered.',
    labels: [...placeLabels, 'code', 'dry_run'],
    maxSeries: 5_000,
  });
  const duration = metrics.histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Time from the first byte of a request to the last byte of its answer; without long-running requests.',
    labels: [...placeLabels, 'dry_run'],
    buckets: durationBuckets,
  });
  const longRunning = metrics.gauge({
    name: 'apiserver_longrunning_requests',
    help: 'Watches and streaming subresources being served.',
    labels: placeLabels,
  });
  const aborts = metrics.counter({
    name: 'apiserver_request_aborts_total',
    help: 'Requests cut off before their answer was complete, by the client or by a failure.',
    labels: ['verb', 'group', 'version', 'resource', 'subresource', 'scope'],
  });
  const events = metrics.counter({
    name: 'apiserver_watch_events_total',
    help: 'Events sent to watchers.',
    labels: ['group', 'version', 'kind'],
  });
  const eventBytes = metrics.counter({
    name: 'apiserver_watch_events_bytes_total',
    help: 'Bytes of events sent to watchers.',
    labels: ['group', 'version', 'kind'],
  });

  // Thousands of times a second: the series of the labels is looked up only when somebody asks.
  const sent = new Map<ServedResource, { readonly add: (count: number, bytes: number) => void; readonly count: () => void }>();
  metrics.beforeExposition(() => {
    for (const { count } of sent.values()) count();
  });

  return {
    longRunning: (request) => {
      const labels = placeOf(request, registry);
      longRunning.add(labels, 1);
      return { [Symbol.dispose]: () => longRunning.add(labels, -1) };
    },
    finished: (request, { code, durationMs }) => {
      const labels = { ...placeOf(request, registry), dry_run: request.exchange.query.getAll('dryRun').includes('All') ? 'All' : '' };
      requests.add({ ...labels, code: String(code) });
      if (!request.longRunning) duration.observe(labels, durationMs / 1000);
    },
    aborted: (request) => {
      const { component: _component, ...labels } = placeOf(request, registry);
      aborts.add(labels);
    },
    watchEvents: (resource) => {
      const known = sent.get(resource);
      if (known !== undefined) return known.add;
      const { group, version, kind } = resource.type;
      const uncounted = { events: 0, bytes: 0 };
      const add = (count: number, bytes: number): void => {
        uncounted.events += count;
        uncounted.bytes += bytes;
      };
      const count = (): void => {
        events.add({ group, version, kind }, uncounted.events);
        eventBytes.add({ group, version, kind }, uncounted.bytes);
        uncounted.events = 0;
        uncounted.bytes = 0;
      };
      sent.set(resource, { add, count });
      return add;
    },
  };
}

const verbs: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
};
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Only what this server serves becomes a label: whoever asks for nonsense must not make series. */
function placeOf({ exchange, info, longRunning }: CountedRequest, registry: Registry): Readonly<Record<Place, string>> {
  const component = 'apiserver';
  const method = methods.has(exchange.method) ? exchange.method : 'other';
  const nowhere = { verb: method, group: '', version: '', resource: '', subresource: '', scope: '', component };
  if (info?.resourceRequest !== true) return nowhere;
  const resource = registry.find(info.group, info.version, info.resource);
  if (resource === undefined) return nowhere;
  return {
    verb: verbOf(exchange, info, longRunning),
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: isServed(resource, info.subresource) ? info.subresource : '',
    scope: info.name !== '' ? 'resource' : info.namespace !== '' ? 'namespace' : 'cluster',
    component,
  };
}

function verbOf(exchange: CountedRequest['exchange'], info: RequestInfo, longRunning: boolean): string {
  if (longRunning) return info.verb === 'watch' || isTrue(exchange.query.get('watch')) ? 'WATCH' : 'CONNECT';
  if (info.verb === 'patch' && bodyType(exchange.header('content-type')) === 'application/apply-patch+yaml') return 'APPLY';
  return verbs[info.verb] ?? 'other';
}

const builtIn = new Set(['status', 'scale', 'finalize']);

function isServed({ connectors }: ServedResource, subresource: string): boolean {
  return builtIn.has(subresource) || connectors.some((connector) => connector.subresource === subresource);
}
