import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { codeOf } from '@arc/kernel';
import { algorithmOf, type Digest, DigestVerifier } from '../digest/digest.ts';
import type { RequestOptions } from '../oci/repository.ts';
import { TransferError } from '../transfer-error.ts';
import { parseFileName } from './base-url.ts';

/** A directory that files are delivered to: a disk to be carried across, or the document root of a server. */
export class FileDirectory {
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
  async write(
    path: string,
    content: { readonly digest: Digest; readonly size: number; readonly stream: AsyncIterable<Buffer> },
    options: RequestOptions & { readonly overwrite?: boolean } = {},
  ): Promise<void> {
    const target = this.#resolve(path);
    const folder = dirname(target);
    const temporary = join(folder, `.partial-${randomUUID()}`);
    try {
      await mkdir(folder, { recursive: true });
      await this.#requireInside(folder);
      const verifier = new DigestVerifier(content.digest, content.size, path);
      async function* verified(): AsyncGenerator<Buffer> {
        for await (const chunk of content.stream) {
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
        throw new TransferError('TagConflict', `${this.name}/${path} was written by somebody else meanwhile`, { retryable: true });
      }
      throw accessError(this.name, error);
    } finally {
      await rm(temporary, { force: true });
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
