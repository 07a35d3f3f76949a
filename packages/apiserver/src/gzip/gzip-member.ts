import { promisify } from 'node:util';
import { constants, crc32, deflateRaw as deflateRawCallback } from 'node:zlib';
import { appendCrc32, crc32Shift } from './crc32.ts';

const deflateRaw = promisify(deflateRawCallback);

/**
 * Part of a compressed text, compressed on its own: it begins and ends at a byte and refers to nothing before it, so that
 * it can stand anywhere in a gzip member (RFC 1951, RFC 1952).
 */
export interface DeflateBlock {
  /** Raw deflate data without a final block. */
  readonly bytes: Uint8Array;
  /** Of the text. */
  readonly crc: number;
  /** What the text's length does to the checksum of what stands before it. */
  readonly shift: number;
  /** Bytes of the text. */
  readonly length: number;
}

/** What a text costs to be compressed by zlib's thread pool. Level 1 as in Kubernetes; a block is made anew after each change. */
const compression = { level: 1, finishFlush: constants.Z_FULL_FLUSH, chunkSize: 64 * 1024 } as const;

/** Compresses a text outside of the event loop. */
export async function deflateBlock(text: Uint8Array): Promise<DeflateBlock> {
  const compressed = await deflateRaw(text, compression);
  // An exact copy: zlib's result may be a view of a buffer many times its size.
  const bytes = Buffer.allocUnsafeSlow(compressed.length);
  bytes.set(compressed);
  return blockOf(bytes, text);
}

const maxStored = 0xffff;

/** A text as it is: for what is too short to gain from compression. */
export function storedBlock(text: Uint8Array): DeflateBlock {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < text.length; at += maxStored) {
    const part = text.subarray(at, at + maxStored);
    parts.push(storedHeader(part.length, { final: false }), part);
  }
  return blockOf(Buffer.concat(parts), text);
}

/** Deflate's block of type 00: length and its complement, then the bytes themselves. */
function storedHeader(length: number, { final }: { readonly final: boolean }): Uint8Array {
  const header = Buffer.alloc(5);
  header.writeUInt8(final ? 1 : 0, 0);
  header.writeUInt16LE(length, 1);
  header.writeUInt16LE(length ^ maxStored, 3);
  return header;
}

function blockOf(bytes: Uint8Array, text: Uint8Array): DeflateBlock {
  return { bytes, crc: crc32(text), shift: crc32Shift(text.length), length: text.length };
}

/** Magic, deflate, no flags, no time, compressed fastest, unknown system. */
const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff);

/** Joins blocks into one gzip member. Nothing is compressed or looked into again: the checksum comes from those of the blocks. */
export class GzipMember {
  #crc = 0;
  #length = 0;

  /** What stands before the first block. */
  begin(): Uint8Array {
    return header;
  }

  /** What `block` adds to the member. */
  add(block: DeflateBlock): Uint8Array {
    this.#crc = appendCrc32(this.#crc, block.crc, block.shift);
    this.#length += block.length;
    return block.bytes;
  }

  /** What stands after the last block: an empty final one, checksum and length. */
  end(): Uint8Array {
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.#crc, 0);
    trailer.writeUInt32LE(this.#length % 2 ** 32, 4);
    return Buffer.concat([storedHeader(0, { final: true }), trailer]);
  }
}
