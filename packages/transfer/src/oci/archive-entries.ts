import type { FileHandle } from 'node:fs/promises';
import { TransferError } from '../transfer-error.ts';

/** Where a file of a tar archive lies in it. */
export interface ArchiveEntry {
  readonly path: string;
  /** Where its header begins, and its content. */
  readonly header: number;
  readonly offset: number;
  readonly size: number;
}

export interface ArchiveScan {
  /** Files in their order, none of them cut off. */
  readonly entries: readonly ArchiveEntry[];
  /** Where the next entry belongs. */
  readonly end: number;
  /** True when the archive breaks off in the middle of an entry. */
  readonly cut: boolean;
}

const block = 512;
const extensionLimit = 64 * 1024;
const entryLimit = 200_000;

/**
 * Finds the files of an uncompressed tar archive (POSIX.1-2001 ustar and pax, GNU's long names and sizes) by its headers alone.
 *
 * @throws TransferError `InvalidManifest` for what is no tar archive, or has a path that leaves it, a link or a device;
 * `TooLarge` beyond 200,000 entries
 */
export async function scanArchive(file: FileHandle, name: string): Promise<ArchiveScan> {
  const { size: total } = await file.stat();
  const entries: ArchiveEntry[] = [];
  let longPath: string | undefined;
  let longSize: number | undefined;
  let begin: number | undefined;
  let at = 0;
  for (let count = 0; ; count += 1) {
    if (count > entryLimit) throw new TransferError('TooLarge', `${name} has more than ${entryLimit} entries`);
    const first = begin ?? at;
    if (at + block > total) return { entries, end: first, cut: at < total || first < at };
    const header = await readAt(file, at, block);
    if (header.every((byte) => byte === 0)) return { entries, end: first, cut: first < at };
    requireTar(header, name);
    const type = String.fromCharCode(header[156] ?? 0);
    const extension = type === 'x' || type === 'g' || type === 'L';
    const size = extension ? sizeOf(header, name) : (longSize ?? sizeOf(header, name));
    const offset = at + block;
    const next = offset + Math.ceil(size / block) * block;
    if (!Number.isSafeInteger(next) || offset + size > total) return { entries, end: first, cut: true };
    if (extension) {
      if (size > extensionLimit) throw new TransferError('TooLarge', `${name} has a header of ${size} bytes`);
      const content = await readAt(file, offset, size);
      const records = type === 'L' ? { path: textOf(content) } : type === 'x' ? paxRecords(content) : {};
      longPath = records.path ?? longPath;
      longSize = records.size === undefined ? longSize : sizeOfText(records.size, name);
      begin ??= at;
    } else {
      const path = safePath(longPath ?? pathOf(header), name);
      if (type === '0' || type === '\0' || type === '7') entries.push({ path, header: first, offset, size });
      else if (type !== '5')
        throw invalid(name, `has an entry ${JSON.stringify(path.slice(0, 200))} that is neither a file nor a directory`);
      [longPath, longSize, begin] = [undefined, undefined, undefined];
    }
    at = next;
  }
}

/** What stands before the content of a file: a ustar header, with the size as GNU writes it from 8 GiB on, and pax for long paths. */
export function archiveHeader(path: string, size: number): Buffer {
  if (Buffer.byteLength(path) <= 100) return ustarHeader(path, size, '0');
  const record = paxRecord('path', path);
  return Buffer.concat([
    ustarHeader('pax', record.length, 'x'),
    record,
    archivePadding(record.length),
    ustarHeader(path.slice(-100), size, '0'),
  ]);
}

/** `<length> key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  const length = [1, 2, 3, 4].map((digits) => digits + Buffer.byteLength(rest)).find((sum, at) => String(sum).length === at + 1) ?? 0;
  return Buffer.from(`${length}${rest}`);
}

function ustarHeader(path: string, size: number, type: string): Buffer {
  const header = Buffer.alloc(block);
  header.write(path, 0, 100, 'utf8');
  header.write('0000644\x000000000\x000000000\x00', 100, 'latin1');
  if (size < 0o100000000000) header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write('00000000000\0', 136, 'latin1');
  header.write(`        ${type}`, 148, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** Zeros that fill the last block of `size` bytes of content. */
export function archivePadding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block);
}

/** What ends an archive. */
export const archiveTrailer = Buffer.alloc(2 * block);

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function requireTar(header: Buffer, name: string): void {
  if (header[0] === 0x1f && header[1] === 0x8b) throw invalid(name, 'is compressed; unpack it with gunzip first');
  if (Number.parseInt(textOf(header.subarray(148, 156)).trim(), 8) !== checksum(header)) throw invalid(name, 'is no tar archive');
}

/** The sum of all bytes, those of the sum itself counted as spaces. */
function checksum(header: Buffer): number {
  let sum = 0;
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 32 : byte;
  return sum;
}

function sizeOf(header: Buffer, name: string): number {
  if ((header[124] ?? 0) !== 0x80) return sizeOfText(Number.parseInt(textOf(header.subarray(124, 136)).trim(), 8).toString(), name);
  return sizeOfText(header.readBigUInt64BE(128).toString(), name);
}

function sizeOfText(text: string, name: string): number {
  const size = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(size)) return size;
  throw invalid(name, 'has an entry of an unreadable size');
}

/** Nothing is ever unpacked, but an archive that would write outside is an attack on whoever does. */
function safePath(path: string, name: string): string {
  const clean = path.replace(/^(?:\.\/)+/, '');
  if (path.startsWith('/') || path.includes('\\') || path.includes('\0') || path.split('/').includes('..') || clean.length > 4096)
    throw invalid(name, `has an entry with the unsafe path ${JSON.stringify(path.slice(0, 200))}`);
  return clean;
}

function pathOf(header: Buffer): string {
  const path = textOf(header.subarray(0, 100));
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? textOf(header.subarray(345, 500)) : '';
  return prefix === '' ? path : `${prefix}/${path}`;
}

/** `path` and `size` of a pax header: records `<length> key=value\n`, the length counting the whole record. */
function paxRecords(content: Buffer): { readonly path?: string; readonly size?: string } {
  const found: { path?: string; size?: string } = {};
  for (let offset = 0; offset < content.length;) {
    const space = content.indexOf(0x20, offset);
    const length = space === -1 ? Number.NaN : Number(content.toString('latin1', offset, space));
    if (!Number.isInteger(length) || length <= space - offset + 1) return found;
    const record = content.toString('utf8', space + 1, offset + length - 1);
    if (record.startsWith('path=')) found.path = record.slice(5);
    if (record.startsWith('size=')) found.size = record.slice(5);
    offset += length;
  }
  return found;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}

function invalid(name: string, problem: string): TransferError {
  return new TransferError('InvalidManifest', `${name} ${problem}`);
}
