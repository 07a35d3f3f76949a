import type { ServedApi } from '@arc/apimachinery';
import type { Logger, Metrics } from '@arc/kernel';
import type { Exchange } from '../http/exchange.ts';
import { bytesReply, jsonReply, type Reply, textReply } from '../http/reply.ts';
import type { RequestInfo } from '../request/request-info.ts';
import { discoveryRoutes } from './discovery.ts';
import { health, type HealthChecks, type HealthEndpoint } from './health.ts';
import { openApiV2Route } from './open-api-v2.ts';
import { openApiRoutes } from './open-api.ts';
import type { VersionInfo } from './version.ts';

/** Serves what is not a resource; the caller has been authorised. */
export type NonResourceHandler = (exchange: Exchange, info: RequestInfo) => Promise<Reply> | Reply;

export interface NonResourceOptions {
  readonly api: ServedApi;
  readonly version: VersionInfo;
  readonly checks: HealthChecks;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const healthEndpoints: readonly HealthEndpoint[] = ['healthz', 'livez', 'readyz'];

/** Prometheus' text format. */
const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

const paths = ['/api', '/apis', '/healthz', '/livez', '/metrics', '/openapi/v2', '/openapi/v3', '/readyz', '/version'];

export function nonResourceRoutes({ api, version, checks, logger, metrics }: NonResourceOptions): NonResourceHandler {
  const discovery = discoveryRoutes(api);
  const openApi = openApiRoutes(api, version);
  const openApiV2 = openApiV2Route(api, version);
  return (exchange, { path }) => {
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') return textReply(405, '405 method not allowed\n', { allow: 'GET, HEAD' });
    const [first = '', ...rest] = path.split('/').filter((segment) => segment !== '');
    const endpoint = healthEndpoints.find((name) => name === first);
    if (endpoint !== undefined && rest.length <= 1) return health(checks, { endpoint, only: rest[0] ?? '' }, exchange.query, logger);
    if (first === 'metrics' && rest.length === 0) return bytesReply(200, metricsType, metrics.exposition());
    if (first === 'version' && rest.length === 0) return jsonReply(200, version);
    if (first === 'api' || first === 'apis') return discovery(exchange, `/${[first, ...rest].join('/')}`);
    if (first === 'openapi' && rest.length === 1 && rest[0] === 'v2') return openApiV2(exchange);
    if (first === 'openapi' && rest[0] === 'v3') return openApi(exchange, rest.slice(1).join('/'));
    if (first === '') return jsonReply(200, { paths });
    return textReply(404, '404 page not found\n');
  };
}
