import {
  apiVersionOf,
  listHead,
  type ListMeta,
  listTail,
  partialObjectMetadata,
  partialObjectMetadataListHead,
  tableHead,
  tableOf,
  tableTail,
} from '@arc/apimachinery';
import type { CachedObject } from '@arc/storage';
import type { Exchange } from '../http/exchange.ts';
import { bytesReply, type Reply } from '../http/reply.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { negotiate, type Representation } from '../request/accept.ts';
import { wantsPretty } from '../request/pretty.ts';
import type { Page } from '../verbs/list.ts';
import { indentJson } from './indent-json.ts';
import { servedBytes, utf8, viewOfCached } from './object-view.ts';
import { parseIncludeObject, rowOf } from './table-row.ts';
import { toYaml } from './yaml.ts';

/** @throws ApiStatusError 406. */
export function negotiateList(exchange: Exchange): Representation {
  return negotiate(exchange.header('accept'), { transforms: ['Table', 'PartialObjectMetadataList'] });
}

/** Bytes gathered before they are handed to the connection. */
const chunkSize = 128 * 1024;
/** What a table row or metadata entry is assumed to take, to decide about compression. */
const assumedRowSize = 600;
const comma = 0x2c;

/** Answers a list in the representation the client negotiated, object by object from the cache's bytes. */
export function listReply(exchange: Exchange, resource: ServedResource, page: Page, representation: Representation, now: number): Reply {
  const { objects } = page.result;
  const { head, item, tail } = encodingOf(exchange, resource, { page, representation, now });
  const chunks = listChunks(head, objects, item, tail);
  const yaml = representation.mediaType === 'application/yaml';
  if (yaml || wantsPretty(exchange)) {
    return bytesReply(200, representation.mediaType, whole(chunks, yaml ? toYaml : (bytes) => indentJson(utf8(bytes))));
  }
  const length =
    representation.transform === 'object'
      ? objects.reduce((sum, object) => sum + object.bytes.length + 1, head.length)
      : objects.length * assumedRowSize;
  return { code: 200, headers: { 'content-type': 'application/json' }, body: { kind: 'chunks', chunks, length } };
}

interface ListEncoding {
  /** Everything before the items, which follow separated by commas. */
  readonly head: string;
  readonly item: (object: CachedObject) => Uint8Array;
  readonly tail: string;
}

function encodingOf(
  exchange: Exchange,
  resource: ServedResource,
  { page, representation, now }: { readonly page: Page; readonly representation: Representation; readonly now: number },
): ListEncoding {
  const { definition } = resource;
  const { transform, metaVersion } = representation;
  const metadata = listMetadata(page);
  switch (transform) {
    case 'object':
    case 'PartialObjectMetadata':
      return {
        head: listHead({ kind: `${definition.kind}List`, apiVersion: apiVersionOf(definition) }, metadata),
        item: (object) => servedBytes(resource, object),
        tail: listTail,
      };
    case 'PartialObjectMetadataList':
      return {
        head: partialObjectMetadataListHead(metadata, metaVersion),
        item: (object) => partialObjectMetadata(object.metadata, metaVersion),
        tail: listTail,
      };
    case 'Table': {
      const include = parseIncludeObject(exchange.query);
      const { columnDefinitions } = tableOf(definition);
      return {
        head: tableHead({ metadata, columnDefinitions, metaVersion }),
        item: (object) => rowOf(viewOfCached(resource, object), { include, metaVersion, now }),
        tail: tableTail,
      };
    }
  }
}

function listMetadata({ result, continueToken }: Page): ListMeta {
  return {
    resourceVersion: String(result.revision),
    ...(continueToken !== '' && { continue: continueToken }),
    ...(continueToken !== '' && result.remaining !== undefined && { remainingItemCount: result.remaining }),
  };
}

/** Gathers items into chunks big enough to be worth a write, small enough not to hold up the event loop. */
function* listChunks(
  head: string,
  objects: readonly CachedObject[],
  item: ListEncoding['item'],
  tail: string,
): Generator<Uint8Array, void, void> {
  const start = Buffer.from(head);
  let chunk = Buffer.allocUnsafe(Math.max(chunkSize, start.length));
  chunk.set(start);
  let used = start.length;
  let first = true;
  for (const object of objects) {
    const bytes = item(object);
    if (used + bytes.length + 1 > chunk.length) {
      yield chunk.subarray(0, used);
      chunk = Buffer.allocUnsafe(Math.max(chunkSize, bytes.length + 1));
      used = 0;
    }
    if (!first) chunk[used++] = comma;
    first = false;
    chunk.set(bytes, used);
    used += bytes.length;
  }
  yield chunk.subarray(0, used);
  yield Buffer.from(`${tail}\n`);
}

function whole(chunks: Iterable<Uint8Array>, convert: (bytes: Uint8Array) => string): string {
  return convert(Buffer.concat([...chunks]));
}
