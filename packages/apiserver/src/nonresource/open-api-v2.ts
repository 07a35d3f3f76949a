import { buildOpenApiV2, type OpenApiV2, type ServedApi } from '@arc/apimachinery';
import type { Exchange } from '../http/exchange.ts';
import { bytesReply, type Reply } from '../http/reply.ts';
import { matchesEtag } from '../request/etag.ts';
import { hashes } from './discovery.ts';
import type { VersionInfo } from './version.ts';

/** Always answered in the dotted form, whichever was asked for. */
const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const requestedAsProtobuf = /application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf/;

/** Serves OpenAPI v2 as JSON and as protobuf (wire contract 1.3), built when the first client asks. */
export function openApiV2Route(api: ServedApi, { gitVersion }: VersionInfo): (exchange: Exchange) => Reply {
  let built: OpenApiV2 | undefined;
  return (exchange) => {
    built ??= buildOpenApiV2(api, hashes, { version: gitVersion, serverSideApply: true });
    const headers = { etag: built.etag, vary: 'Accept' };
    if (matchesEtag(exchange, built.etag)) return { code: 304, headers, body: { kind: 'none' } };
    return requestedAsProtobuf.test(exchange.header('accept') ?? '')
      ? bytesReply(200, protobufType, built.protobuf, headers)
      : bytesReply(200, 'application/json', built.json, headers);
  };
}
