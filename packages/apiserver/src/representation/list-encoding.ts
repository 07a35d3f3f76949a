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

/** How the items of lists are written. */
export interface ItemEncoding {
  /** Names the encoding: items of one form look the same in every list of the resource. Undefined: this list's are its own. */
  readonly form: string | undefined;
  /** Seconds since the epoch when ages are part of the items: they look the same only within that second. */
  readonly second?: number;
  /** The text of one item. */
  readonly pieces: (object: CachedObject) => readonly Uint8Array[];
  /** The length of that text, where it is known without making it. */
  readonly lengthOf: ((object: CachedObject) => number) | undefined;
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
        item: { form: formOf(resource), pieces: (object) => [servedBytes(resource, object)], lengthOf: servedLength(resource) },
        tail: listEnd,
      };
    case 'PartialObjectMetadataList': {
      const { before, after } = partialObjectMetadataParts(metaVersion);
      return {
        head: Buffer.from(partialObjectMetadataListHead(metadata, metaVersion)),
        item: { form: `metadata ${metaVersion}`, pieces: ({ metadata }) => [before, metadata, after], lengthOf: undefined },
        tail: listEnd,
      };
    }
    case 'Table': {
      const include = parseIncludeObject(query);
      const { columnDefinitions } = tableOf(definition);
      const pieces = (object: CachedObject): Uint8Array[] => [rowOf(viewOfCached(resource, object), { include, metaVersion, now })];
      return {
        head: Buffer.from(tableHead({ metadata, columnDefinitions, metaVersion })),
        item: { form: `${formOf(resource)} Table ${include} ${metaVersion}`, second: Math.floor(now / 1000), pieces, lengthOf: undefined },
        tail: tableEnd,
      };
    }
  }
}

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
