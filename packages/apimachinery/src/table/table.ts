import type { ColumnDefinition, KindDefinition } from '../kind/kind.ts';
import type { KubeObject } from '../meta/types.ts';
import { encodeCells, renderCells } from './cells.ts';
import type { TableCells } from './cells.ts';

/** The server-side table of a kind (wire contract 4.2). */
export interface Table {
  /** The JSON array of column definitions. */
  readonly columnDefinitions: string;
  /** The cells of one object; depends on nothing but the object and may be kept with it. */
  cellsOf(object: KubeObject): TableCells;
}

const tables = new WeakMap<KindDefinition, Table>();

/** The table of a kind: its name column, then its own columns, or `Created At` when it has none. The same value for the same definition. */
export function tableOf(kind: KindDefinition): Table {
  const known = tables.get(kind);
  if (known !== undefined) return known;
  const columns = kind.columns ?? [];
  const table: Table =
    columns.length === 0
      ? { columnDefinitions: definitionsOf([createdAt]), cellsOf: (object) => encodeCells(object, [createdAtCell]) }
      : { columnDefinitions: definitionsOf(columns), cellsOf: (object) => encodeCells(object, columns) };
  tables.set(kind, table);
  return table;
}

export interface TableRowOptions {
  /** Milliseconds since the epoch: what ages are counted to. */
  readonly now: number;
  /** The JSON that goes with the row: PartialObjectMetadata, the whole object, or null. */
  readonly object: Uint8Array | string;
}

/** One row as JSON. */
export function tableRow(cells: TableCells, { now, object }: TableRowOptions): Uint8Array {
  return joined(['{"cells":', ...renderCells(cells, now), ',"object":', object, '}']);
}

/** Concatenates JSON texts and bytes into one buffer. */
export function joined(pieces: readonly (Uint8Array | string)[]): Uint8Array {
  let length = 0;
  for (const piece of pieces) length += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      at += bytes.write(piece, at);
    } else {
      bytes.set(piece, at);
      at += piece.length;
    }
  }
  return bytes;
}

const nameColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name is unique among the objects of the resource in a namespace. Set at creation, never changed.',
  priority: 0,
};

type ShownColumn = Pick<ColumnDefinition, 'name' | 'type' | 'format' | 'description' | 'priority'>;

const createdAt: ShownColumn = { name: 'Created At', type: 'date', description: 'When the object was created.' };
/** As other servers do: the time itself, not an age. */
const createdAtCell: ColumnDefinition = { ...createdAt, type: 'string', value: (object) => object.metadata.creationTimestamp ?? undefined };

function definitionsOf(columns: readonly ShownColumn[]): string {
  return JSON.stringify([
    nameColumn,
    ...columns.map(({ name, type, format = '', description, priority = 0 }) => ({ name, type, format, description, priority })),
  ]);
}
