import type { ListMeta } from '../meta/types.ts';
import { joined } from './table.ts';

/** The versions of meta.k8s.io in which Table and PartialObjectMetadata are served. */
export type MetaVersion = 'v1' | 'v1beta1';

export interface TableObjectOptions {
  readonly metadata?: ListMeta;
  /** The JSON array of column definitions; left out in all but the first event of a watch. */
  readonly columnDefinitions?: string;
  readonly metaVersion?: MetaVersion;
}

/** What stands before the rows of a Table; rows follow separated by commas, then `tableTail`. */
export function tableHead({ metadata = {}, columnDefinitions = '[]', metaVersion = 'v1' }: TableObjectOptions): string {
  return `{"kind":"Table","apiVersion":"meta.k8s.io/${metaVersion}","metadata":${JSON.stringify(metadata)},"columnDefinitions":${columnDefinitions},"rows":[`;
}

export const tableTail = ']}';

/** A whole Table (wire contract 4.2). */
export function tableObject(rows: readonly Uint8Array[], options: TableObjectOptions): Uint8Array {
  return joined([tableHead(options), ...separated(rows), tableTail]);
}

/** PartialObjectMetadata around the JSON of an object's metadata, which is not looked into (wire contract 4.3). */
export function partialObjectMetadata(metadata: Uint8Array, metaVersion: MetaVersion = 'v1'): Uint8Array {
  const { before, after } = metadataParts[metaVersion];
  return joined([before, metadata, after]);
}

/** What stands before and after the JSON of an object's metadata in its PartialObjectMetadata. */
export function partialObjectMetadataParts(metaVersion: MetaVersion): PartialObjectMetadataParts {
  return metadataParts[metaVersion];
}

interface PartialObjectMetadataParts {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

const metadataParts: Readonly<Record<MetaVersion, PartialObjectMetadataParts>> = {
  v1: metadataPartsOf('v1'),
  v1beta1: metadataPartsOf('v1beta1'),
};

function metadataPartsOf(metaVersion: MetaVersion): PartialObjectMetadataParts {
  const encoder = new TextEncoder();
  return {
    before: encoder.encode(`{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${metaVersion}","metadata":`),
    after: encoder.encode('}'),
  };
}

/** What stands before the items of a PartialObjectMetadataList; items follow separated by commas, then `listTail`. */
export function partialObjectMetadataListHead(metadata: ListMeta, metaVersion: MetaVersion = 'v1'): string {
  return listHead({ kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${metaVersion}` }, metadata);
}

/** What stands before the items of a list; items follow separated by commas, then `listTail`. */
export function listHead(type: { readonly kind: string; readonly apiVersion: string }, metadata: ListMeta): string {
  return `{"kind":${JSON.stringify(type.kind)},"apiVersion":${JSON.stringify(type.apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`;
}

export const listTail = ']}';

function separated(items: readonly Uint8Array[]): (Uint8Array | string)[] {
  return items.flatMap((item, index) => (index === 0 ? [item] : [',', item]));
}
