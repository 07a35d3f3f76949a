import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { codeOf } from '@arc/kernel';
import { DigestVerifier, isDigest } from '../digest/digest.ts';
import { once } from '../once.ts';
import { isTransferError, TransferError } from '../transfer-error.ts';
import { type ArchiveEntry, archiveHeader, archivePadding, archiveTrailer, scanArchive } from './archive-entries.ts';
import { type LayoutFiles, storing, tooLarge } from './layout-files.ts';

/** Pieces that content is read in; larger ones made nothing faster. */
const pieceBytes = 256 * 1024;

/**
 * A layout in an uncompressed tar archive, read where it lies and only ever added to: of a file that is there twice the
 * last one counts, as for tar. One process writes at a time. Disposing closes the file.
 */
export class ArchiveFiles implements LayoutFiles, AsyncDisposable {
  readonly name: string;
  readonly #file: FileHandle;
  readonly #entries: Map<string, ArchiveEntry>;
  readonly #mode: 'reading' | 'writing' | 'finishing';
  #end: number;
  /** Files that are written when the archive is finished; each finishing leaves the earlier ones behind as dead weight. */
  readonly #held = new Map<string, Buffer>();
  #lock: Promise<unknown> = Promise.resolve();

  private constructor(
    name: string,
    file: FileHandle,
    mode: 'reading' | 'writing' | 'finishing',
    entries: readonly ArchiveEntry[],
    end: number,
  ) {
    this.name = name;
    this.#file = file;
    this.#mode = mode;
    this.#entries = new Map(entries.map((entry) => [entry.path, entry]));
    this.#end = end;
  }

  /**
   * Opens an archive to read.
   *
   * @throws TransferError `NotFound`; `InvalidManifest` when it is none, or breaks off
   */
  static async open(path: string): Promise<ArchiveFiles> {
    const name = `oci-archive://${path}`;
    const file = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK, name);
    return await orClose(file, async () => {
      if (!(await file.stat()).isFile()) throw new TransferError('InvalidManifest', `${name} is not a file`);
      const { entries, end, cut } = await scanArchive(file, name);
      if (cut)
        throw new TransferError('InvalidManifest', `${name} breaks off after ${end} bytes`, {
          hint: 'Its export was not finished, or it was not copied completely: run the export again, or copy it again.',
        });
      return new ArchiveFiles(name, file, 'reading', entries, end);
    });
  }

  /**
   * Opens an archive to add to, or begins one. What a process that was killed left half written is cut off, and what it
   * wrote is checked against the digests that name it. With `finishing` it can be read after every change of its index
   * instead of after `finish` only.
   */
  static async create(path: string, options: { readonly finishing?: boolean } = {}): Promise<ArchiveFiles> {
    const name = `oci-archive://${path}`;
    const file = await openFile(path, constants.O_RDWR | constants.O_CREAT, name);
    return await orClose(file, async () => {
      const { entries, end } = await scanArchive(file, name);
      const whole: ArchiveEntry[] = [];
      let sound = end;
      for (const entry of entries) {
        if (await hasItsDigest(file, entry, name)) whole.push(entry);
        else {
          sound = entry.header;
          break;
        }
      }
      return new ArchiveFiles(name, file, options.finishing === true ? 'finishing' : 'writing', whole, sound);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async read(path: string, limit: number): Promise<Buffer | undefined> {
    const held = this.#held.get(path);
    if (held !== undefined) return held;
    const entry = this.#entries.get(path);
    if (entry === undefined) return undefined;
    if (entry.size > limit) throw tooLarge(this.name, path, entry.size, limit);
    const pieces: Buffer[] = [];
    for await (const piece of readEntry(this.#file, entry, this.name, undefined)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  size(path: string): Promise<number | undefined> {
    return Promise.resolve(this.#held.get(path)?.length ?? this.#entries.get(path)?.size);
  }

  async *stream(path: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
    const entry = this.#entries.get(path);
    if (entry === undefined) throw new TransferError('NotFound', `${this.name} has no file ${path}`);
    yield* readEntry(this.#file, entry, this.name, signal);
  }

  store(path: string, size: number, stream: AsyncIterable<Buffer>, signal: AbortSignal | undefined): Promise<void> {
    return this.#exclusively(() => this.#append(path, size, stream, signal));
  }

  /** Kept in memory until `finish`. */
  async replace(path: string, bytes: Buffer): Promise<void> {
    this.#requireWriting();
    this.#held.set(path, bytes);
    if (this.#mode === 'finishing' && path === 'index.json') await this.finish();
  }

  /** Writes what was replaced and what ends an archive. From here on it can be read; it may be added to and finished again. */
  finish(): Promise<void> {
    return this.#exclusively(async () => {
      for (const [path, bytes] of this.#held) await this.#append(path, bytes.length, once(bytes), undefined);
      this.#held.clear();
      await storing(this.name, async () => {
        await writeAt(this.#file, archiveTrailer, this.#end);
        await this.#file.truncate(this.#end + archiveTrailer.length);
        await this.#file.sync();
      });
    });
  }

  async #append(path: string, size: number, stream: AsyncIterable<Buffer>, signal: AbortSignal | undefined): Promise<void> {
    this.#requireWriting();
    const header = this.#end;
    const head = archiveHeader(path, size);
    const offset = header + head.length;
    await storing(this.name, async () => {
      let at = offset;
      try {
        await this.#file.truncate(header);
        await writeAt(this.#file, head, header);
        for await (const piece of stream) {
          signal?.throwIfAborted();
          if (at + piece.length > offset + size) throw lengthError(this.name, path, size);
          await writeAt(this.#file, piece, at);
          at += piece.length;
        }
        if (at !== offset + size) throw lengthError(this.name, path, size);
        await writeAt(this.#file, archivePadding(size), at);
      } catch (error) {
        await this.#file.truncate(header).catch(() => {});
        throw error;
      }
    });
    this.#end = offset + size + archivePadding(size).length;
    this.#entries.set(path, { path, header, offset, size });
  }

  #requireWriting(): void {
    if (this.#mode === 'reading') throw new TransferError('Forbidden', `${this.name} was opened to be read`);
  }

  /** Entries follow each other in the file, so whoever is first writes first. */
  async #exclusively(work: () => Promise<void>): Promise<void> {
    const after = this.#lock.then(work, work);
    this.#lock = after.catch(() => {});
    await after;
  }
}

async function hasItsDigest(file: FileHandle, entry: ArchiveEntry, name: string): Promise<boolean> {
  const [, algorithm, encoded] = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(entry.path) ?? [];
  const digest = `${algorithm}:${encoded}`;
  if (!isDigest(digest)) return true;
  const verifier = new DigestVerifier(digest, entry.size, name);
  try {
    for await (const piece of readEntry(file, entry, name, undefined)) verifier.update(piece);
    verifier.finish();
    return true;
  } catch (error) {
    if (isTransferError(error, 'DigestMismatch')) return false;
    throw error;
  }
}

async function* readEntry(file: FileHandle, entry: ArchiveEntry, name: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  for (let read = 0; read < entry.size;) {
    signal?.throwIfAborted();
    const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, entry.size - read));
    const { bytesRead } = await file.read(piece, 0, piece.length, entry.offset + read);
    if (bytesRead === 0) throw new TransferError('SizeMismatch', `${name}: ${entry.path} ended after ${read} of ${entry.size} bytes`);
    read += bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}

async function writeAt(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  }
}

async function openFile(path: string, flags: number, name: string): Promise<FileHandle> {
  try {
    return await storing(name, () => open(path, flags, 0o644));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
    throw new TransferError('NotFound', `there is no file ${path}`, { hint: 'Check the path of the archive.', cause: error });
  }
}

async function orClose<T>(file: FileHandle, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    await file.close();
    throw error;
  }
}

function lengthError(name: string, path: string, size: number): TransferError {
  return new TransferError('SizeMismatch', `${name}: ${path} does not have the ${size} bytes that were announced`);
}
