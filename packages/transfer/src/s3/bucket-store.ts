import { createHash } from 'node:crypto';
import { algorithmOf, type Digest, DigestVerifier, digestOf } from '../digest/digest.ts';
import { type FileContent, type FileStore, type VersionedFile, writtenMeanwhile } from '../files/file-store.ts';
import type { RequestOptions } from '../oci/repository.ts';
import { isTransferError, TransferError } from '../transfer-error.ts';
import type { Bucket, WriteCondition } from './bucket.ts';
import { partsOf, uploadInParts } from './multipart-upload.ts';
import { s3CodeOf } from './s3-error.ts';

/** A bucket as a place that files are delivered to. Writes are conditional where the service knows conditions. */
export class BucketStore implements FileStore {
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  get name(): string {
    return this.#bucket.name;
  }

  get warnings(): readonly string[] {
    return this.#bucket.knowsConditions
      ? []
      : [`${this.name} knows no conditional writes: of two that write one name at the same moment the later one stays`];
  }

  async digest(path: string, like: Digest, options: RequestOptions & { readonly readAgain?: boolean } = {}): Promise<Digest | undefined> {
    const { readAgain = false, signal } = options;
    const algorithm = algorithmOf(like);
    try {
      const head = await this.#bucket.head(path, { signal });
      if (head === undefined) return undefined;
      if (head.sha256 !== undefined && algorithm === 'sha256' && !readAgain) return head.sha256;
    } catch (error) {
      // Whoever may not list the bucket is told so of objects that are not there.
      if (isTransferError(error, 'Forbidden') && !readAgain) return undefined;
      throw error;
    }
    const hash = createHash(algorithm);
    for await (const chunk of this.#bucket.file(path).read({ signal })) hash.update(chunk);
    return `${algorithm}:${hash.digest('hex')}`;
  }

  async write(path: string, content: FileContent, options: RequestOptions & { readonly overwrite?: boolean } = {}): Promise<void> {
    const { signal } = options;
    const condition: WriteCondition | undefined = options.overwrite === true ? undefined : { ifNoneMatch: '*' };
    const { bytes: partBytes } = partsOf(content.size);
    try {
      if (content.size > partBytes) await this.#writeParts(path, content, condition, signal);
      else await this.#bucket.put(path, await wholeOf(content, path), { signal, condition });
    } catch (error) {
      if (!isTransferError(error, 'TagConflict')) throw error;
      // It may be ours: an answer that got lost on the way makes the second try a conflict.
      const there = await this.digest(path, content.digest, { signal });
      if (there === content.digest) return;
      throw writtenMeanwhile(`${this.name}/${path}`, error);
    }
  }

  /** An upload that was taken up may have been that of somebody else, who completed it or took it back meanwhile. */
  async #writeParts(
    path: string,
    content: FileContent,
    condition: WriteCondition | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      await uploadInParts(this.#bucket, path, content, { signal, condition });
    } catch (error) {
      const code = s3CodeOf(error);
      if (code !== 'NoSuchUpload' && code !== 'InvalidPart') throw error;
      if ((await this.digest(path, content.digest, { signal })) === content.digest) return;
      await uploadInParts(this.#bucket, path, content, { signal, condition, afresh: true });
    }
  }

  async readVersioned(path: string, limit: number, options: RequestOptions = {}): Promise<VersionedFile | undefined> {
    const head = await this.#bucket.head(path, options);
    if (head === undefined) return undefined;
    if (head.size > limit) throw new TransferError('TooLarge', `${this.name}/${path} is larger than ${limit} bytes`);
    const { bytes, etag } = await this.#bucket.file(path).readVersion(limit, options);
    if (etag === undefined) throw new TransferError('UnexpectedAnswer', `${this.name} gives ${path} no ETag`);
    return { bytes, version: etag };
  }

  async replace(path: string, bytes: Buffer, version: string | undefined, options: RequestOptions = {}): Promise<boolean> {
    const condition: WriteCondition = version === undefined ? { ifNoneMatch: '*' } : { ifMatch: version };
    try {
      await this.#bucket.put(path, bytes, { signal: options.signal, condition });
      return true;
    } catch (error) {
      const isGone = version !== undefined && s3CodeOf(error) === 'NoSuchKey';
      if (!isTransferError(error, 'TagConflict') && !isGone) throw error;
      return (await this.digest(path, digestOf(bytes), options)) === digestOf(bytes);
    }
  }
}

async function wholeOf(content: FileContent, path: string): Promise<Buffer> {
  const verifier = new DigestVerifier(content.digest, content.size, path);
  const chunks: Buffer[] = [];
  for await (const chunk of content.open()) {
    verifier.update(chunk);
    chunks.push(chunk);
  }
  verifier.finish();
  return Buffer.concat(chunks);
}
