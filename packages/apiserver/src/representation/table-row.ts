import { type MetaVersion, partialObjectMetadata, statusError, tableRow } from '@arc/apimachinery';
import type { ObjectView } from './object-view.ts';

/** What a table row carries besides its cells (wire contract 2.4, `includeObject`). */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** @throws ApiStatusError 400. */
export function parseIncludeObject(query: URLSearchParams): IncludeObject {
  const text = query.get('includeObject') ?? '';
  if (text === '') return 'Metadata';
  if (text === 'None' || text === 'Metadata' || text === 'Object') return text;
  throw statusError.badRequest(`Unable to convert to Table as requested: unrecognized includeObject value: ${JSON.stringify(text)}`);
}

export interface RowOptions {
  readonly include: IncludeObject;
  readonly metaVersion: MetaVersion;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** One row of a Table as JSON. */
export function rowOf(view: ObjectView, { include, metaVersion, now }: RowOptions): Uint8Array {
  const object = include === 'None' ? 'null' : include === 'Object' ? view.bytes() : partialObjectMetadata(view.metadata(), metaVersion);
  return tableRow(view.cells(), { now, object });
}
