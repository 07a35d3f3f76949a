import type { ObjectRun } from '@arc/storage';
import { type DeflateBlock, deflateBlock, GzipMember, storedBlock } from '../gzip/gzip-member.ts';
import type { Encodings, KeptBlock } from './encodings.ts';
import type { ItemEncoding, ListEncoding } from './list-encoding.ts';
import { itemPieces } from './list-text.ts';

/** Text in one block at most, but for a single object that is longer: what is held in memory while it is compressed. */
const blockSize = 256 * 1024;
/** Blocks being compressed for one list at a time, so that neither a thread nor the client waits for the other. */
const ahead = 4;
/** Bytes gathered before they are handed on. */
const chunkSize = 64 * 1024;

const commaBlock = storedBlock(Buffer.from(','));

/**
 * A list as one gzip member, joined from the blocks of its runs. Those of whole and cut segments are kept: as long as a
 * segment does not change it is compressed once, however many lists it is in.
 */
export async function* gzipList(
  { head, item, tail }: ListEncoding,
  runs: readonly ObjectRun[],
  kept: Encodings['blocks'],
): AsyncGenerator<Uint8Array, void, void> {
  const member = new GzipMember();
  let chunk = [member.begin(), member.add(storedBlock(head))];
  let size = 0;
  let first = true;
  for await (const block of inOrder(piecesOf(runs), (piece) => blockOf(item, piece, kept))) {
    if (!first) chunk.push(member.add(commaBlock));
    first = false;
    chunk.push(member.add(block));
    size += block.bytes.length;
    if (size >= chunkSize) {
      yield Buffer.concat(chunk);
      chunk = [];
      size = 0;
    }
  }
  chunk.push(member.add(storedBlock(tail)), member.end());
  yield Buffer.concat(chunk);
}

/** Cuts runs of large objects. The same segment is cut in the same places every time. */
function* piecesOf(runs: readonly ObjectRun[]): Generator<ObjectRun, void, void> {
  for (const run of runs) {
    const { segment, from, to } = run;
    let start = from;
    let size = 0;
    for (let at = from; at < to; at++) {
      const length = segment[at]?.bytes.length ?? 0;
      if (size > 0 && size + length > blockSize) {
        yield { ...run, from: start, to: at };
        start = at;
        size = 0;
      }
      size += length;
    }
    yield { ...run, from: start, to };
  }
}

function blockOf(item: ItemEncoding, piece: ObjectRun, kept: Encodings['blocks']): DeflateBlock | Promise<DeflateBlock> {
  const { segment, from, to } = piece;
  if (!piece.kept || item.form === undefined) return compressed(item, piece);
  const form = `${item.form} ${from}-${to}`;
  const { second } = item;
  const known = kept.get(segment, form);
  if (known !== undefined && known.second === second) return known.block;
  const made = compressed(item, piece);
  const being: KeptBlock = { block: made, second };
  kept.set(segment, form, being);
  const isLast = (): boolean => kept.get(segment, form) === being;
  // Whoever waits for the block learns of a failure; the next list tries again.
  made.then(
    (block) => isLast() && kept.set(segment, form, { block, second }),
    () => isLast() && kept.delete(segment, form),
  );
  return made;
}

function compressed(item: ItemEncoding, piece: ObjectRun): Promise<DeflateBlock> {
  return deflateBlock(Buffer.concat([...itemPieces(item, [piece])]));
}

/** What `start` makes of the inputs, in their order; begins with some of them while earlier ones are waited for. */
async function* inOrder<I, O>(inputs: Iterable<I>, start: (input: I) => O | Promise<O>): AsyncGenerator<O, void, void> {
  const pending: (O | Promise<O>)[] = [];
  try {
    for (const input of inputs) {
      pending.push(start(input));
      if (pending.length > ahead) yield (await pending.shift()) as O;
    }
    while (pending.length > 0) yield (await pending.shift()) as O;
  } finally {
    for (const started of pending) void Promise.resolve(started).catch(() => undefined);
  }
}
