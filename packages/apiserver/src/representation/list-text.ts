import type { ListResult, ObjectRun } from '@arc/storage';
import type { ItemEncoding, ListEncoding } from './list-encoding.ts';

/** Bytes gathered before they are handed on: worth a write, and not holding up the event loop. */
const chunkSize = 128 * 1024;
const comma = 0x2c;

/** A whole list as text. */
export function* listText({ head, item, tail }: ListEncoding, runs: readonly ObjectRun[]): Generator<Uint8Array, void, void> {
  yield* itemsText(item, runs, head);
  yield tail;
}

/** The items of a list with commas between them, after `head`. */
export function* itemsText(
  { before, body, after }: ItemEncoding,
  runs: readonly ObjectRun[],
  head: Uint8Array = new Uint8Array(0),
): Generator<Uint8Array, void, void> {
  let chunk = Buffer.allocUnsafeSlow(Math.max(chunkSize, head.length));
  chunk.set(head);
  let used = head.length;
  let first = true;
  for (const { segment, from, to } of runs) {
    for (let index = from; index < to; index++) {
      const object = segment[index];
      if (object === undefined) continue;
      const bytes = body(object);
      const size = before.length + bytes.length + after.length;
      if (used + size + 1 > chunk.length) {
        yield chunk.subarray(0, used);
        chunk = Buffer.allocUnsafeSlow(Math.max(chunkSize, size + 1));
        used = 0;
      }
      if (!first) chunk[used++] = comma;
      first = false;
      chunk.set(before, used);
      chunk.set(bytes, used + before.length);
      chunk.set(after, used + before.length + bytes.length);
      used += size;
    }
  }
  yield chunk.subarray(0, used);
}

/** What the items of a list are assumed to take when it would have to be made to know. */
const assumedItemSize = 600;

/** Bytes of the text of a list. */
export function textLength(
  { head, item, tail }: ListEncoding,
  { runs, size }: ListResult,
): { readonly length: number; readonly exact: boolean } {
  const { before, lengthOf, after } = item;
  const around = head.length + tail.length + Math.max(0, size * (before.length + after.length + 1) - 1);
  if (lengthOf === undefined) return { length: around + size * assumedItemSize, exact: false };
  let length = around;
  for (const { segment, from, to } of runs) {
    for (const object of segment.slice(from, to)) length += lengthOf(object);
  }
  return { length, exact: true };
}
