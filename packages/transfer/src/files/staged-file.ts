import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@arc/kernel';
import { algorithmOf, type Digest } from '../digest/digest.ts';
import { TransferError } from '../transfer-error.ts';

/** A download kept on disk, in a directory only its owner may enter. Disposing removes both. */
export interface StagedFile extends AsyncDisposable {
  readonly size: number;
  readonly sha256: Digest;
  read(signal?: AbortSignal): AsyncIterable<Buffer>;
}

/**
 * Writes a stream to disk so that its digest is known before anything is sent on.
 *
 * @throws TransferError `DigestMismatch` when `expected` is given and the content is another; `StorageFull`
 */
export async function stageFile(
  stream: AsyncIterable<Buffer>,
  name: string,
  options: { readonly directory: string; readonly expected?: Digest | undefined },
): Promise<StagedFile> {
  const { expected } = options;
  const folder = await mkdtemp(join(options.directory, 'arc-staging-'));
  const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const path = join(folder, 'content');
  const hash = createHash('sha256');
  const second = expected !== undefined && algorithmOf(expected) === 'sha512' ? createHash('sha512') : undefined;
  let size = 0;
  try {
    await using file = await open(path, 'wx', 0o600);
    for await (const chunk of stream) {
      hash.update(chunk);
      second?.update(chunk);
      size += chunk.length;
      for (let written = 0; written < chunk.length;) written += (await file.write(chunk, written)).bytesWritten;
    }
    const sha256: Digest = `sha256:${hash.digest('hex')}`;
    const actual: Digest = second === undefined ? sha256 : `sha512:${second.digest('hex')}`;
    if (expected !== undefined && actual !== expected) {
      throw new TransferError('DigestMismatch', `${name} has wrong content: expected ${expected}, received ${actual}`, {
        hint: 'The server serves damaged or substituted content, or the expected digest is wrong; nothing was taken over.',
      });
    }
    const read = (signal?: AbortSignal): AsyncIterable<Buffer> =>
      createReadStream(path, { highWaterMark: 256 * 1024, signal }) as AsyncIterable<Buffer>;
    return { size, sha256, read, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    if (codeOf(error) !== 'ENOSPC' && codeOf(error) !== 'EDQUOT') throw error;
    throw new TransferError('StorageFull', `${name}: no space left for staging after ${size} bytes`, {
      cause: error,
      hint: 'Give the step a larger volume for its temporary files, or write the digest into the spec: then nothing is staged.',
    });
  }
}
