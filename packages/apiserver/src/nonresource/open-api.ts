import { buildOpenApi, type OpenApi, type ServedApi } from '@arc/apimachinery';
import type { Exchange } from '../http/exchange.ts';
import { bytesReply, type Reply, textReply } from '../http/reply.ts';
import { negotiate } from '../request/accept.ts';
import { matchesEtag } from '../request/etag.ts';
import { hashes } from './discovery.ts';
import type { VersionInfo } from './version.ts';

const oneYearMs = 365 * 24 * 3600 * 1000;

/**
 * Serves the OpenAPI v3 index and documents (wire contract 1.4). They are built when the first client asks. A stale
 * `hash` is answered with the present document, never redirected: an aggregator refuses redirects.
 */
export function openApiRoutes(api: ServedApi, { gitVersion }: VersionInfo): (exchange: Exchange, key: string) => Reply {
  let built: OpenApi | undefined;
  return (exchange, key) => {
    built ??= buildOpenApi(api, hashes, { version: gitVersion, serverSideApply: true });
    const document = key === '' ? built.index : built.documents.get(key);
    if (document === undefined) return textReply(404, '404 page not found\n');
    negotiate(exchange.header('accept'), { yaml: false });
    const current = key !== '' && exchange.query.get('hash') === document.hash;
    const headers = {
      etag: document.etag,
      vary: 'Accept',
      ...(current && { 'cache-control': 'public, immutable', expires: new Date(Date.now() + oneYearMs).toUTCString() }),
    };
    if (matchesEtag(exchange, document.etag)) return { code: 304, headers, body: { kind: 'none' } };
    return bytesReply(200, 'application/json', document.json, headers);
  };
}
