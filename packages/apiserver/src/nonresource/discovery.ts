import { createHash } from 'node:crypto';
import { aggregatedMediaType, type AggregatedVersion, buildDiscovery, type Hashes, type ServedApi, statusError } from '@arc/apimachinery';
import type { Exchange } from '../http/exchange.ts';
import { bytesReply, type Reply } from '../http/reply.ts';
import { parseAccept } from '../request/accept.ts';
import { matchesEtag } from '../request/etag.ts';

/** The hash functions that discovery and OpenAPI documents are identified by. */
export const hashes: Hashes = {
  sha256: (text) => createHash('sha256').update(text).digest(),
  sha512: (text) => createHash('sha512').update(text).digest('hex'),
};

/**
 * Serves discovery from memory (wire contract D1 to D6, 1.2). Never touches the store: `/apis/<g>/<v>` is how an
 * aggregator decides whether this server is alive (A1).
 */
export function discoveryRoutes(api: ServedApi): (exchange: Exchange, path: string) => Reply {
  const discovery = buildDiscovery(api, hashes);
  return (exchange, path) => {
    const plain = discovery.plain.get(path);
    if (plain === undefined) throw statusError.noSuchRoute();
    if (path !== '/api' && path !== '/apis') {
      assertPlain(exchange);
      return bytesReply(200, 'application/json', plain.json);
    }
    const version = wantedVersion(exchange);
    if (version === undefined) return bytesReply(200, 'application/json', plain.json, { vary: 'Accept' });
    const { json, etag } = discovery.aggregated(path, version);
    const headers = { etag, vary: 'Accept', 'cache-control': 'public' };
    if (matchesEtag(exchange, etag)) return { code: 304, headers, body: { kind: 'none' } };
    return bytesReply(200, aggregatedMediaType(version), json, headers);
  };
}

/**
 * The form of `/api` and `/apis` the first servable clause asks for; undefined = plain.
 * @throws ApiStatusError 406 when no clause can be served; answering plain JSON instead would be misread (1.2).
 */
function wantedVersion(exchange: Exchange): AggregatedVersion | undefined {
  for (const { type, parameters } of parseAccept(exchange.header('accept'))) {
    if (!isJson(type)) continue;
    const as = parameters.get('as');
    if (as === undefined) return undefined;
    const version = parameters.get('v');
    const known = as === 'APIGroupDiscoveryList' && parameters.get('g') === 'apidiscovery.k8s.io';
    if (known && (version === 'v2' || version === 'v2beta1')) return version;
  }
  throw statusError.notAcceptable(['application/json']);
}

function assertPlain(exchange: Exchange): void {
  const servable = parseAccept(exchange.header('accept')).some(({ type, parameters }) => isJson(type) && !parameters.has('as'));
  if (!servable) throw statusError.notAcceptable(['application/json']);
}

function isJson(type: string): boolean {
  return type === 'application/json' || type === 'application/*' || type === '*/*';
}
