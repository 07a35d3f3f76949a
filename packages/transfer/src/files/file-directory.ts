import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { codeOf, systemClock } from '@arc/kernel';
import { algorithmOf, type Digest, digestOf, DigestVerifier } from '../digest/digest.ts';
import type { RequestOptions } from '../oci/repository.ts';
import { once } from '../once.ts';
import { TransferError } from '../transfer-error.ts';
import { parseFileName } from './base-url.ts';
import type { FileFacts, SourceFile } from './file-source.ts';
import { type FileContent, type FileStore, type VersionedFile, writtenMeanwhile } from './file-store.ts';

/** How long a lock is believed, milliseconds; what it guards takes a fraction of a second. */
const lockMs = 30_000;

/** A directory that files come from or are delivered to: a disk to be carried across, or the document root of a server. */
export class FileDirectory implements FileStore {
  readonly name: string;
  readonly #directory: string;

  private constructor(directory: string) {
    this.name = `file://${directory}`;
    this.#directory = directory;
  }

  /**
   * Opens `file:///dir` or an absolute path. The directory has to be there: making it would hide a volume that is not
   * mounted, and lose what is written.
   *
   * @throws TransferError `InvalidEndpoint`, `NotFound`
   */
  static async open(remoteURL: string): Promise<FileDirectory> {
    const path = remoteURL.startsWith('/') ? remoteURL : remoteURL.startsWith('file:///') ? fileURLToPath(remoteURL) : undefined;
    if (path !== undefined) {
      const found = await stat(path).catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
        throw accessError(remoteURL, error);
      });
      if (found?.isDirectory() === true) return new FileDirectory(resolve(path));
      throw new TransferError('NotFound', `there is no directory ${path}`, {
        hint: 'Make it, or mount the volume into the step; steps have a /tmp of their own.',
      });
    }
    throw new TransferError('InvalidEndpoint', `remoteURL ${JSON.stringify(remoteURL.slice(0, 300))} is not a directory`, {
      hint: 'Write file:///absolute/directory.',
    });
  }

  /** The digest of a file there, of the algorithm of `like`; undefined when there is none. */
  async digest(path: string, like: Digest): Promise<Digest | undefined> {
    const algorithm = algorithmOf(like);
    const hash = createHash(algorithm);
    try {
      for await (const chunk of createReadStream(this.#resolve(path), { highWaterMark: 256 * 1024 })) hash.update(chunk as Buffer);
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw accessError(this.name, error);
    }
    return `${algorithm}:${hash.digest('hex')}`;
  }

  /**
   * Writes a file from a stream; under its name it appears only when complete and of the right digest.
   *
   * @throws TransferError `TagConflict` when another file took the name meanwhile and `overwrite` is not set;
   * `DigestMismatch`, `SizeMismatch`, `StorageFull`, `Forbidden`, `InvalidReference`
   */
  async write(path: string, content: FileContent, options: RequestOptions & { readonly overwrite?: boolean } = {}): Promise<void> {
    const target = this.#resolve(path);
    const folder = dirname(target);
    const temporary = join(folder, `.partial-${randomUUID()}`);
    try {
      await mkdir(folder, { recursive: true });
      await this.#requireInside(folder);
      const verifier = new DigestVerifier(content.digest, content.size, path);
      async function* verified(): AsyncGenerator<Buffer> {
        for await (const chunk of content.open()) {
          verifier.update(chunk);
          yield chunk;
        }
        verifier.finish();
      }
      // Opened before the stream begins: one that fails at once would otherwise be opened after the file was removed.
      const file = await open(temporary, 'wx', 0o644);
      await pipeline(verified(), file.createWriteStream({ flush: true }), { signal: options.signal });
      if (options.overwrite === true) await rename(temporary, target);
      else await link(temporary, target);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') {
        throw writtenMeanwhile(`${this.name}/${path}`, error);
      }
      throw accessError(this.name, error);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Reads a whole file; its version is its digest. */
  async readVersioned(path: string, limit: number): Promise<VersionedFile | undefined> {
    try {
      await using file = await open(this.#resolve(path), 'r');
      const { size } = await file.stat();
      if (size > limit) throw new TransferError('TooLarge', `${this.name}/${path} is larger than ${limit} bytes`);
      const bytes = await file.readFile();
      return { bytes, version: digestOf(bytes) };
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw accessError(this.name, error);
    }
  }

  /** One writer at a time holds a lock beside the file; what holds it for long is taken to have died. */
  async replace(path: string, bytes: Buffer, version: string | undefined, options: RequestOptions = {}): Promise<boolean> {
    await using _lock = await this.#lock(path, options.signal);
    if ((await this.readVersioned(path, Number.MAX_SAFE_INTEGER))?.version !== version) return false;
    await this.write(path, { digest: digestOf(bytes), size: bytes.length, open: () => once(bytes) }, { ...options, overwrite: true });
    return true;
  }

  /** A file of the directory to be read. @throws TransferError `InvalidReference` */
  file(path: string, options: { readonly maxBytes?: number | undefined } = {}): SourceFile {
    const where = this.#resolve(path);
    const name = `${this.name}/${path}`;
    const failed = (error: unknown): unknown =>
      codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
        ? new TransferError('NotFound', `there is no file ${name}`, {
            cause: error,
            hint: 'Check the path, and remoteURL of the endpoint.',
          })
        : accessError(this.name, error);
    const look = async (): Promise<FileFacts> => {
      const found = await stat(where).catch((error: unknown) => Promise.reject(failed(error) as Error));
      await this.#requireInside(where);
      if (!found.isFile()) throw new TransferError('InvalidReference', `${name} is not a file`);
      if (options.maxBytes !== undefined && found.size > options.maxBytes)
        throw new TransferError('TooLarge', `${name} has more than the ${options.maxBytes} bytes that are allowed`);
      return { size: found.size, digest: undefined, title: undefined };
    };
    const read = async function* (): AsyncGenerator<Buffer> {
      await look();
      try {
        yield* createReadStream(where, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>;
      } catch (error) {
        throw failed(error);
      }
    };
    const readAll = async (limit: number): Promise<Buffer> => {
      const { size = 0 } = await look();
      if (size > limit) throw new TransferError('TooLarge', `${name} is larger than ${limit} bytes`);
      return await readFile(where).catch((error: unknown) => Promise.reject(failed(error) as Error));
    };
    return { name, look, read, readAll };
  }

  /** Paths below the directory that begin with `prefix`. Links are not followed. */
  async *list(prefix: string, options: { readonly limit: number }): AsyncGenerator<string> {
    const folder = prefix.split('/').slice(0, -1).join('/');
    let count = 0;
    const entries = await readdir(folder === '' ? this.#directory : this.#resolve(folder), { recursive: true, withFileTypes: true }).catch(
      (error: unknown) => {
        if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
        throw accessError(this.name, error);
      },
    );
    for (const entry of entries) {
      const path = relative(this.#directory, join(entry.parentPath, entry.name)).split(sep).join('/');
      if (!entry.isFile() || !path.startsWith(prefix) || entry.name.startsWith('.partial-')) continue;
      count += 1;
      if (count > options.limit) throw new TransferError('TooLarge', `${this.name} has more than ${options.limit} files below ${prefix}`);
      yield path;
    }
  }

  [Symbol.dispose](): void {}

  async #lock(path: string, signal: AbortSignal | undefined): Promise<AsyncDisposable> {
    const lock = `${this.#resolve(path)}.lock`;
    await mkdir(dirname(lock), { recursive: true });
    for (;;) {
      signal?.throwIfAborted();
      try {
        await (await open(lock, 'wx', 0o644)).close();
        return { [Symbol.asyncDispose]: () => rm(lock, { force: true }) };
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw accessError(this.name, error);
        if (await isStale(lock)) await breakLock(lock);
        else await systemClock.sleep(20 + Math.random() * 30, signal);
      }
    }
  }

  #resolve(path: string): string {
    const parts = path.split('/').map(parseFileName);
    return join(this.#directory, ...parts);
  }

  /** A link inside the directory may not lead out of it. */
  async #requireInside(folder: string): Promise<void> {
    const [root, real] = await Promise.all([realpath(this.#directory), realpath(folder)]);
    if (real === root || real.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) return;
    throw new TransferError('InvalidReference', `${folder} is a link that leads out of ${this.#directory}`);
  }
}

async function isStale(lock: string): Promise<boolean> {
  const found = await stat(lock).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > lockMs;
}

/** Moved aside first: of several who find it stale at the same moment one moves it, and who moved a new one puts it back. */
async function breakLock(lock: string): Promise<void> {
  const aside = `${lock}.${randomUUID()}`;
  try {
    await rename(lock, aside);
    if (!(await isStale(aside))) await link(aside, lock);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

function accessError(where: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new TransferError('StorageFull', `${where}: no space left`, { cause: error, hint: 'Free some space or choose another volume.' });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new TransferError('Forbidden', `${where}: may not be used (${code})`, {
      cause: error,
      hint: 'Give the account that runs this access to the directory.',
    });
  return error;
}
