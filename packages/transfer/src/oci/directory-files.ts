import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { codeOf } from '@arc/kernel';
import { TransferError } from '../transfer-error.ts';
import { type LayoutFiles, storing, tooLarge } from './layout-files.ts';

/** A layout in a directory. Files appear under their name only when complete; links and devices are never opened. */
export class DirectoryFiles implements LayoutFiles {
  readonly name: string;
  readonly #directory: string;

  constructor(directory: string) {
    this.name = `oci-layout://${directory}`;
    this.#directory = directory;
  }

  async read(path: string, limit: number): Promise<Buffer | undefined> {
    const found = await this.#open(path);
    if (found === undefined) return undefined;
    await using file = found;
    const { size } = await file.stat();
    if (size > limit) throw tooLarge(this.name, path, size, limit);
    return await file.readFile();
  }

  async size(path: string): Promise<number | undefined> {
    try {
      const found = await lstat(join(this.#directory, path));
      return found.isFile() ? found.size : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async *stream(path: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
    const file = await this.#open(path);
    if (file === undefined) throw new TransferError('NotFound', `${this.name} has no file ${path}`);
    yield* file.createReadStream({ highWaterMark: 256 * 1024, signal }) as AsyncIterable<Buffer>;
  }

  async store(path: string, _size: number, stream: AsyncIterable<Buffer>, signal: AbortSignal | undefined): Promise<void> {
    await this.#write(path, async (temporary) => {
      // Opened before the stream begins: one that fails at once would otherwise be opened after the file was removed.
      const file = await open(temporary, 'wx', 0o644);
      await pipeline(stream, file.createWriteStream({ highWaterMark: 1024 * 1024, flush: true }), { signal });
    });
  }

  async replace(path: string, bytes: Buffer): Promise<void> {
    await this.#write(path, async (temporary) => {
      await using file = await open(temporary, 'wx', 0o644);
      await file.writeFile(bytes);
      await file.sync();
    });
  }

  async #write(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
    const final = join(this.#directory, path);
    const temporary = join(dirname(final), `.partial-${randomUUID()}`);
    await storing(this.name, async () => {
      await mkdir(dirname(final), { recursive: true });
      try {
        await write(temporary);
        await rename(temporary, final);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    });
  }

  /** A disk that was carried here may hold anything under the name of a blob: a link out of the layout, a pipe nobody writes to. */
  async #open(path: string): Promise<FileHandle | undefined> {
    let file: FileHandle;
    try {
      file = await open(join(this.#directory, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      if (codeOf(error) === 'ELOOP') throw this.#notAFile(path);
      throw error;
    }
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw this.#notAFile(path);
  }

  #notAFile(path: string): TransferError {
    return new TransferError('InvalidManifest', `${this.name}: ${path} is not a regular file`, {
      hint: 'A layout holds plain files only; this one was not written by a tool for layouts.',
    });
  }
}

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '');
}
