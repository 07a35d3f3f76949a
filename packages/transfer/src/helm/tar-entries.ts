import { TransferError } from '../transfer-error.ts';

/** One entry of an archive. Its content is read or skipped before the next one. */
export interface TarEntry {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'other';
  readonly size: number;
  /** The whole content. @throws TransferError `TooLarge` beyond `limit` bytes */
  read(limit: number): Promise<Buffer>;
}

const block = 512;
const extensionLimit = 64 * 1024;

/**
 * Reads a tar archive as a stream (POSIX.1-2001 ustar and pax, and GNU's long names); nothing is unpacked.
 *
 * @throws TransferError `InvalidManifest` for what is no archive or ends early
 */
export async function* tarEntries(stream: AsyncIterable<Buffer>, what: string): AsyncGenerator<TarEntry> {
  const bytes = new ByteQueue(stream, what);
  let longPath: string | undefined;
  for (;;) {
    const header = await bytes.takeIfAny(block);
    if (header === undefined || header.every((byte) => byte === 0)) return;
    requireChecksum(header, what);
    const size = sizeOf(header, what);
    const type = String.fromCharCode(header[156] ?? 0);
    const padded = Math.ceil(size / block) * block;
    if (type === 'x' || type === 'g' || type === 'L') {
      if (size > extensionLimit) throw new TransferError('TooLarge', `${what} has a header of ${size} bytes`);
      const content = (await bytes.take(padded)).subarray(0, size);
      if (type === 'L') longPath = textOf(content);
      if (type === 'x') longPath = paxPath(content) ?? longPath;
      continue;
    }
    let taken = false;
    yield {
      path: longPath ?? pathOf(header),
      kind: type === '0' || type === '\0' || type === '7' ? 'file' : type === '5' ? 'directory' : 'other',
      size,
      read: async (limit) => {
        if (size > limit) throw new TransferError('TooLarge', `${what} has an entry of ${size} bytes where at most ${limit} are allowed`);
        taken = true;
        return (await bytes.take(padded)).subarray(0, size);
      },
    };
    if (!taken) await bytes.skip(padded);
    longPath = undefined;
  }
}

class ByteQueue {
  readonly #source: AsyncIterator<Buffer>;
  readonly #what: string;
  #held: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>, what: string) {
    this.#source = stream[Symbol.asyncIterator]();
    this.#what = what;
  }

  /** Undefined when the stream ended exactly here. */
  async takeIfAny(count: number): Promise<Buffer | undefined> {
    if (this.#held.length === 0 && !(await this.#more())) return undefined;
    return this.take(count);
  }

  async take(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = count; left > 0;) {
      if (this.#held.length === 0 && !(await this.#more())) throw invalid(this.#what, 'ends in the middle of an entry');
      const part = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(part.length);
      left -= part.length;
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      if (this.#held.length === 0 && !(await this.#more())) throw invalid(this.#what, 'ends in the middle of an entry');
      const skipped = Math.min(left, this.#held.length);
      this.#held = this.#held.subarray(skipped);
      left -= skipped;
    }
  }

  async #more(): Promise<boolean> {
    for (;;) {
      const next = await this.#source.next();
      if (next.done === true) return false;
      this.#held = next.value;
      if (this.#held.length > 0) return true;
    }
  }
}

function requireChecksum(header: Buffer, what: string): void {
  const said = Number.parseInt(textOf(header.subarray(148, 156)).trim(), 8);
  let sum = 0;
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 32 : byte;
  if (sum !== said) throw invalid(what, 'is no tar archive');
}

function sizeOf(header: Buffer, what: string): number {
  const text = textOf(header.subarray(124, 136)).trim();
  const size = /^[0-7]{1,12}$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
  if (Number.isSafeInteger(size)) return size;
  throw invalid(what, 'has an entry of an unreadable size');
}

function pathOf(header: Buffer): string {
  const name = textOf(header.subarray(0, 100));
  const prefix = header.toString('latin1', 257, 262) === 'ustar' ? textOf(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** The `path` record of a pax header: `<length> path=<value>\n`, the length counting the whole record. */
function paxPath(content: Buffer): string | undefined {
  let found: string | undefined;
  for (let offset = 0; offset < content.length;) {
    const space = content.indexOf(0x20, offset);
    const length = space === -1 ? Number.NaN : Number(content.toString('latin1', offset, space));
    if (!Number.isInteger(length) || length <= space - offset + 1) return found;
    const record = content.toString('utf8', space + 1, offset + length - 1);
    if (record.startsWith('path=')) found = record.slice(5);
    offset += length;
  }
  return found;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}

function invalid(what: string, problem: string): TransferError {
  return new TransferError('InvalidManifest', `${what} ${problem}`);
}
