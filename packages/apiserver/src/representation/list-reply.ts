import type { Exchange } from '../http/exchange.ts';
import { bytesReply, type Reply } from '../http/reply.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { negotiate, type Representation } from '../request/accept.ts';
import { wantsPretty } from '../request/pretty.ts';
import type { Page } from '../verbs/list.ts';
import { gzipList } from './gzip-list.ts';
import { indentJson } from './indent-json.ts';
import { listEncoding } from './list-encoding.ts';
import { itemPieces, listText, textLength } from './list-text.ts';
import { utf8 } from './object-view.ts';
import { toYaml } from './yaml.ts';

/** @throws ApiStatusError 406. */
export function negotiateList(exchange: Exchange): Representation {
  return negotiate(exchange.header('accept'), { transforms: ['Table', 'PartialObjectMetadataList'] });
}

/** Answers a list in the representation the client negotiated, object by object from the cache's bytes. */
export function listReply(exchange: Exchange, resource: ServedResource, page: Page, representation: Representation, now: number): Reply {
  const { runs } = page.result;
  const encoding = listEncoding(resource, page, { representation, query: exchange.query, now });
  const yaml = representation.mediaType === 'application/yaml';
  if (yaml || wantsPretty(exchange)) {
    const text = Buffer.concat([encoding.head, ...itemPieces(encoding.item, runs), encoding.tail]);
    return bytesReply(200, representation.mediaType, yaml ? toYaml(text) : indentJson(utf8(text)));
  }
  return {
    code: 200,
    headers: { 'content-type': 'application/json' },
    body: {
      kind: 'stream',
      plain: (scratch) => listText(encoding, runs, scratch),
      gzip: () => gzipList(encoding, runs, resource.encodings.blocks),
      ...textLength(encoding, page.result),
    },
  };
}
