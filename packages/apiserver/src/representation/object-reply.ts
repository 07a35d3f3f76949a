import { partialObjectMetadata, tableObject, tableOf } from '@arc/apimachinery';
import { bytesReply, type Reply } from '../http/reply.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { negotiate, type Representation } from '../request/accept.ts';
import { wantsPretty } from '../request/pretty.ts';
import type { ObjectView } from './object-view.ts';
import { indentJson } from './indent-json.ts';
import { parseIncludeObject, rowOf } from './table-row.ts';
import { toYaml } from './yaml.ts';

/** @throws ApiStatusError 406. */
export function negotiateObject(exchange: Exchange): Representation {
  return negotiate(exchange.header('accept'), { transforms: ['Table', 'PartialObjectMetadata'] });
}

/** Answers one object in the representation the client negotiated (wire contract 4.1 to 4.3). */
export function objectReply(
  code: number,
  exchange: Exchange,
  resource: ServedResource,
  view: ObjectView,
  representation: Representation,
  now: number,
): Reply {
  const bytes = representedBytes(exchange, resource, view, representation, now);
  if (representation.mediaType === 'application/yaml') return bytesReply(code, 'application/yaml', toYaml(bytes));
  if (wantsPretty(exchange)) return bytesReply(code, 'application/json', indentJson(Buffer.from(bytes).toString()));
  return bytesReply(code, 'application/json', bytes);
}

function representedBytes(
  exchange: Exchange,
  resource: ServedResource,
  view: ObjectView,
  { transform, metaVersion }: Representation,
  now: number,
): Uint8Array {
  switch (transform) {
    case 'object':
    case 'PartialObjectMetadataList':
      return view.bytes();
    case 'PartialObjectMetadata':
      return partialObjectMetadata(view.metadata(), metaVersion);
    case 'Table': {
      const row = rowOf(view, { include: parseIncludeObject(exchange.query), metaVersion, now });
      const { columnDefinitions } = tableOf(resource.definition);
      const { resourceVersion } = view.parsed().metadata;
      return tableObject([row], { metaVersion, columnDefinitions, metadata: resourceVersion === undefined ? {} : { resourceVersion } });
    }
  }
}
