import { formatAge } from '@arc/kernel';
import { stringifyJson } from '../json/stringify.ts';
import type { ColumnDefinition } from '../kind/kind.ts';
import type { KubeObject } from '../meta/types.ts';

/**
 * The cells of one object, encoded so that they can be kept as long as the object lives: everything but the ages,
 * which kubectl prints as the server sends them and which therefore depend on when they are sent.
 *
 * Layout: number of ages (1 byte), for each its offset into the text (4 bytes) and its time (8 bytes, a double of
 * milliseconds), then the JSON array as text with the ages left out.
 */
export type TableCells = Uint8Array;

const ageSize = 12;

/** Computes the cells of an object; the first one is always its name. */
export function encodeCells(object: KubeObject, columns: readonly ColumnDefinition[]): TableCells {
  const ages: { readonly at: number; readonly time: number }[] = [];
  let text = `[${JSON.stringify(object.metadata.name ?? '')}`;
  for (const column of columns) {
    const value = column.value(object);
    const time = column.type === 'date' && typeof value === 'string' ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(time)) {
      text += `,${stringifyJson(value ?? (column.type === 'date' ? '<unknown>' : '<none>'))}`;
    } else {
      text += ',';
      ages.push({ at: Buffer.byteLength(text), time });
    }
  }
  text += ']';
  const start = 1 + ages.length * ageSize;
  const bytes = Buffer.allocUnsafeSlow(start + Buffer.byteLength(text));
  bytes.writeUInt8(ages.length, 0);
  ages.forEach(({ at, time }, index) => {
    bytes.writeUInt32LE(at, 1 + index * ageSize);
    bytes.writeDoubleLE(time, 1 + index * ageSize + 4);
  });
  bytes.write(text, start);
  return bytes;
}

/** The pieces of the JSON array of cells at a moment, to be written one after the other. */
export function renderCells(cells: TableCells, now: number): (Uint8Array | string)[] {
  const view = new DataView(cells.buffer, cells.byteOffset, cells.byteLength);
  const count = view.getUint8(0);
  const text = cells.subarray(1 + count * ageSize);
  const pieces: (Uint8Array | string)[] = [];
  let from = 0;
  for (let index = 0; index < count; index++) {
    const at = view.getUint32(1 + index * ageSize, true);
    pieces.push(text.subarray(from, at), `"${ageText(now - view.getFloat64(1 + index * ageSize + 4, true))}"`);
    from = at;
  }
  pieces.push(text.subarray(from));
  return pieces;
}

/** Clocks differ by a little; more than a second in the future is not an age. */
function ageText(ms: number): string {
  return ms < -1000 ? '<invalid>' : formatAge(Math.max(ms, 0));
}
