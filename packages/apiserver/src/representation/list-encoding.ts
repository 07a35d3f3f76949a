import {
  apiVersionOf,
  listHead,
  type ListMeta,
  listTail,
  partialObjectMetadataListHead,
  partialObjectMetadataParts,
  tableHead,
  tableOf,
  tableTail,
} from '@arc/apimachinery';
import type { CachedObject } from '@arc/storage';
import type { ServedResource } from '../registry/served-resource.ts';
import type { Representation } from '../request/accept.ts';
import type { Page } from '../verbs/list.ts';
import { formOf, servedBytes, viewOfCached } from './object-view.ts';
import { parseIncludeObject, rowOf } from './table-row.ts';

/** How one list is written: `head`, its items separated by commas, `tail`. */
export interface ListEncoding {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
  readonly item: ItemEncoding;
}

/** How the items of lists are written: each as `before`, what `body` makes of the object, `after`. */
export interface ItemEncoding {
  /** Names the encoding: items of one form look the same in every list of the resource. Undefined: this list's are its own. */
  readonly form: string | undefined;
  readonly before: Uint8Array;
  readonly body: (object: CachedObject) => Uint8Array;
  /** The length of a body, where it is known without making it. */
  readonly lengthOf: ((object: CachedObject) => number) | undefined;
  readonly after: Uint8Array;
}

export interface ListEncodingOptions {
  readonly representation: Representation;
  readonly query: URLSearchParams;
  /** Milliseconds since the epoch: what the ages in tables are counted to. */
  readonly now: number;
}

/** @throws ApiStatusError 400. */
export function listEncoding(
  resource: ServedResource,
  page: Page,
  { representation: { transform, metaVersion }, query, now }: ListEncodingOptions,
): ListEncoding {
  const { definition } = resource;
  const metadata = listMetadata(page);
  switch (transform) {
    case 'object':
    case 'PartialObjectMetadata':
      return {
        head: Buffer.from(listHead({ kind: `${definition.kind}List`, apiVersion: apiVersionOf(definition) }, metadata)),
        item: { ...bare, form: formOf(resource), body: (object) => servedBytes(resource, object), lengthOf: servedLength(resource) },
        tail: listEnd,
      };
    case 'PartialObjectMetadataList': {
      const { before, after } = partialObjectMetadataParts(metaVersion);
      return {
        head: Buffer.from(partialObjectMetadataListHead(metadata, metaVersion)),
        item: { form: `metadata ${metaVersion}`, before, body: ({ metadata }) => metadata, lengthOf: undefined, after },
        tail: listEnd,
      };
    }
    case 'Table': {
      const include = parseIncludeObject(query);
      const { columnDefinitions } = tableOf(definition);
      const body = (object: CachedObject): Uint8Array => rowOf(viewOfCached(resource, object), { include, metaVersion, now });
      return {
        head: Buffer.from(tableHead({ metadata, columnDefinitions, metaVersion })),
        item: { ...bare, form: undefined, body, lengthOf: undefined },
        tail: tableEnd,
      };
    }
  }
}

const nothing = new Uint8Array(0);
const bare = { before: nothing, after: nothing };
const listEnd = Buffer.from(`${listTail}\n`);
const tableEnd = Buffer.from(`${tableTail}\n`);

function servedLength({ conversion }: ServedResource): ItemEncoding['lengthOf'] {
  return conversion === undefined ? ({ bytes }) => bytes.length : undefined;
}

function listMetadata({ result, continueToken }: Page): ListMeta {
  return {
    resourceVersion: String(result.revision),
    ...(continueToken !== '' && { continue: continueToken }),
    ...(continueToken !== '' && result.remaining !== undefined && { remainingItemCount: result.remaining }),
  };
}
