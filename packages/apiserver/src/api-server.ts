import type { KindDefinition, ServedApi } from '@arc/apimachinery';
import { type Clock, type Counter, createMetrics, type Logger, type Metrics, silentLogger, systemClock } from '@arc/kernel';
import { createWriter, startWatchCache, type Store, type WatchCache } from '@arc/storage';
import type { AccessControl } from './access/access-control.ts';
import { standaloneAccess } from './access/standalone-access.ts';
import type { AuditOptions } from './audit/request-audit.ts';
import { issuedCredentials } from './authn/issued-credentials.ts';
import { type Authorizer, authorizerChain } from './authz/authorizer.ts';
import { expireObjects } from './expiry/expire-objects.ts';
import { defaultInFlightLimits, flowControl, type InFlightLimits } from './http/in-flight.ts';
import { createListener } from './http/listener.ts';
import { measuredStore } from './metrics/measured-store.ts';
import { requestMetrics } from './metrics/request-metrics.ts';
import { observeServer } from './metrics/server-metrics.ts';
import type { HealthCheck, HealthChecks } from './nonresource/health.ts';
import { nonResourceRoutes } from './nonresource/routes.ts';
import { defaultVersion, type VersionInfo } from './nonresource/version.ts';
import { handleExchange, type PipelineOptions } from './pipeline.ts';
import { cacheLookup } from './registry/cache-lookup.ts';
import type { Connector, ReviewHandler } from './registry/connector.ts';
import { keyedLock } from './registry/keyed-lock.ts';
import { cachedResources, createRegistry } from './registry/registry.ts';
import { isNamespaceKind } from './registry/served-resource.ts';
import { createEncodings } from './representation/encodings.ts';
import { selfSubjectReviews } from './reviews/self-subject-reviews.ts';
import { subjectReviews } from './reviews/subject-reviews.ts';
import type { ServerContext } from './server-context.ts';
import { fixedTls, type TlsOptions, type TlsSource } from './tls/tls-options.ts';

export interface ApiServerOptions {
  readonly kinds: readonly KindDefinition[];
  /** Stays the caller's: closing the server does not close it. */
  readonly store: Store;
  /** From `followTlsFiles` when certificates are replaced while the server runs; disposing it stays the caller's. */
  readonly tls: TlsOptions | TlsSource;
  /**
   * Who a request is from and what it may do. Default: decided here, by `tls.clientCa`, the tokens handed out, and RBAC when
   * its kinds are served, else discovery and self reviews for every user (`standaloneAccess`).
   */
  readonly access?: AccessControl;
  /** Asked when `access` has no opinion; what nobody allows is denied. */
  readonly authorizer?: Authorizer;
  /** Streaming subresources such as `pods/log`. */
  readonly connectors?: readonly Connector[];
  /** For kinds without storage beyond the access, rules, subject and token reviews, which are built in. */
  readonly reviewHandlers?: readonly ReviewHandler[];
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly version?: VersionInfo;
  /** Before every key, without a trailing slash. Default: `/registry`. */
  readonly storagePrefix?: string;
  readonly inFlight?: InFlightLimits;
  /** Further conditions of `/readyz` and `/healthz`. */
  readonly readyChecks?: readonly HealthCheck[];
  /** What is recorded of requests, and where. */
  readonly audit?: AuditOptions;
  /** Shown at `/metrics`, with the server's own. Each server of a process needs one of its own. */
  readonly metrics?: Metrics;
}

export interface ApiServer extends AsyncDisposable {
  /**
   * Resolves when the store has been loaded into the watch cache and resources are served; rejects when that cannot succeed
   * (a failure that may pass is retried). Until then, and whenever the cache has to be loaded anew, health, discovery and
   * OpenAPI are answered, `/readyz` fails, and requests for resources get 429 with Retry-After.
   */
  readonly ready: Promise<void>;
  /** @throws ArcError `AddressInUse` or `ListenFailed`. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ host: string; port: number }>;
  /**
   * Ends in order: `/readyz` fails; after `lameDuckMs` (default 0: time for load balancers to notice) no more connections
   * are taken and watches end; requests in flight get `graceMs` to finish; then everything is cut. Idempotent.
   */
  close(options: { readonly graceMs: number; readonly lameDuckMs?: number }): Promise<void>;
}

/** What still runs this long after its connection was cut is left behind. */
const abandonAfterMs = 1_000;

/**
 * A Kubernetes API server over any kinds and any store, which it begins to load into its watch cache; see `ready`.
 * @throws ArcError `InvalidKind`, `InvalidClientCa`.
 */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { logger = silentLogger, clock = systemClock, version = defaultVersion, metrics = createMetrics() } = options;
  const store = measuredStore(options.store, metrics, clock);
  const tls = 'current' in options.tls ? options.tls : fixedTls(options.tls);
  const stopping = new AbortController();
  const shutdown = new AbortController();
  const cached = cachedResources(options.kinds, options.storagePrefix ?? '/registry');
  const cache = startWatchCache(store, { resources: [...cached.values()], logger, clock });
  await using opened = new AsyncDisposableStack();
  opened.use(cache);
  const cacheOf = cacheLookup(cache, cached);
  const credentials = issuedCredentials({ secrets: cacheOf('', 'secrets'), cache, clock });
  const access = options.access ?? standaloneAccess({ cacheOf, cache, credentials, clientCa: () => tls.current().clientCa, clock });
  const authorizer = authorizerChain([...access.authorizers, ...(options.authorizer === undefined ? [] : [options.authorizer])]);
  const expiries = opened.use(new DisposableStack());
  const encodings = createEncodings();
  const registry = createRegistry({
    kinds: options.kinds,
    connectors: options.connectors ?? [],
    reviewHandlers: [...selfSubjectReviews(authorizer), ...subjectReviews({ authorizer, credentials }), ...(options.reviewHandlers ?? [])],
    cache,
    cached,
    encodings,
  });
  const server: ServerContext = {
    registry,
    cache,
    writer: createWriter(store),
    locks: keyedLock(),
    authenticator: access.authenticator,
    authorizer,
    namespaces: access.namespaces,
    quotas: access.quotas,
    clock,
    logger,
    metrics: requestMetrics(metrics, registry),
    shutdown: shutdown.signal,
  };
  for (const { group, names, expireAfterMs } of options.kinds) {
    const kept = cacheOf(group, names.plural);
    if (expireAfterMs === undefined || kept === undefined) continue;
    expiries.use(expireObjects({ cache: kept, writer: server.writer, ttlMs: expireAfterMs, clock, logger }));
  }
  const flow = flowControl(options.inFlight ?? defaultInFlightLimits);
  observeServer(metrics, { registry, cache, flow, encodings });
  const pipeline: PipelineOptions = {
    server,
    flow,
    nonResource: nonResourceRoutes({
      api: servedApi(options),
      version,
      logger,
      metrics,
      checks: healthChecks({ store, cache, stopping: stopping.signal, readyChecks: options.readyChecks ?? [] }),
    }),
    audit: options.audit === undefined ? undefined : { options: options.audit, clock, logger, events: auditEvents(metrics) },
  };
  const inFlight = new Set<Promise<void>>();
  const listener = createListener({
    tls,
    logger,
    handle: (exchange) => {
      const handled = handleExchange(exchange, pipeline);
      inFlight.add(handled);
      void handled.finally(() => inFlight.delete(handled));
    },
  });

  const close = async (graceMs: number, lameDuckMs: number): Promise<void> => {
    stopping.abort();
    expiries.dispose();
    if (lameDuckMs > 0) await clock.sleep(lameDuckMs);
    shutdown.abort();
    listener.drain();
    await finishedWithin(inFlight, graceMs, clock);
    await listener.destroy();
    await finishedWithin(inFlight, abandonAfterMs, clock);
    await cache[Symbol.asyncDispose]();
  };
  let closed: Promise<void> | undefined;
  // From here on `close` disposes of the cache.
  opened.move();
  return {
    ready: cache.ready,
    listen: (address) => listener.listen(address),
    close: ({ graceMs, lameDuckMs = 0 }) => (closed ??= close(graceMs, lameDuckMs)),
    [Symbol.asyncDispose]: () => (closed ??= close(0, 0)),
  };
}

function auditEvents(metrics: Metrics): Counter {
  return metrics.counter({ name: 'apiserver_audit_event_total', help: 'Audit events made.', labels: [] });
}

function servedApi({ kinds, connectors = [] }: ApiServerOptions): ServedApi {
  const all = kinds.flatMap((kind) => [kind, ...(kind.servedAlsoAs ?? []).map(({ definition }) => definition)]);
  const finalize = all.filter(isNamespaceKind).map(({ group, version }) => ({
    group,
    version,
    resource: 'namespaces',
    subresource: 'finalize',
    verbs: ['update'] as const,
  }));
  const connected = connectors.flatMap((connector) =>
    all
      .filter(({ group, names }) => group === connector.group && names.plural === connector.plural)
      .map(({ version }) => ({ ...connector, version, resource: connector.plural })),
  );
  return { kinds, extraSubresources: [...finalize, ...connected] };
}

interface Checked {
  readonly store: Store;
  readonly cache: WatchCache;
  readonly stopping: AbortSignal;
  readonly readyChecks: readonly HealthCheck[];
}

function healthChecks({ store, cache, stopping, readyChecks }: Checked): HealthChecks {
  const ping: HealthCheck = { name: 'ping', check: () => {} };
  const storage: HealthCheck = {
    name: 'storage',
    check: async (signal) => void (await store.currentRevision({ signal })),
  };
  const watchCache: HealthCheck = {
    name: 'watch-cache',
    check: () => {
      if (!cache.loaded) throw new Error('the watch cache is being loaded from the store');
    },
  };
  const shutdown: HealthCheck = {
    name: 'shutdown',
    check: () => {
      if (stopping.aborted) throw new Error('the server is shutting down');
    },
  };
  return {
    livez: [ping],
    healthz: [ping, storage, watchCache, ...readyChecks],
    readyz: [ping, storage, watchCache, ...readyChecks, shutdown],
  };
}

async function finishedWithin(running: ReadonlySet<Promise<void>>, ms: number, clock: Clock): Promise<void> {
  const waiting = new AbortController();
  try {
    await Promise.race([Promise.all(running), clock.sleep(ms, waiting.signal).catch(() => undefined)]);
  } finally {
    waiting.abort();
  }
}
