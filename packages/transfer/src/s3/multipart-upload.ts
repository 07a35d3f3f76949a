import { createHash } from 'node:crypto';
import { DigestVerifier } from '../digest/digest.ts';
import type { FileContent } from '../files/file-store.ts';
import type { RequestOptions } from '../oci/repository.ts';
import { isTransferError, TransferError } from '../transfer-error.ts';
import type { Bucket, WriteCondition } from './bucket.ts';
import { findLeftUpload, type LeftPart } from './left-upload.ts';
import { s3CodeOf } from './s3-error.ts';
import { childText } from './xml.ts';

const mebibyte = 1024 * 1024;

/** Size of a part: S3 takes 5 MiB to 5 GiB, and 10,000 of them. */
const leastPart = 8 * mebibyte;
const mostParts = 10_000;

/**
 * Bytes of parts that are held at a time, but for objects so large that one part has more. With 24 MiB a worker that writes 1 GiB has
 * 144 MB resident at most, with 32 MiB up to 162, for the same CPU time.
 */
const heldBytes = 24 * mebibyte;

interface UploadedPart {
  readonly number: number;
  readonly etag: string;
  readonly sha256: Buffer;
}

/** How an object of this size is cut up. */
export function partsOf(size: number): { readonly bytes: number; readonly concurrency: number } {
  const bytes = Math.max(leastPart, Math.ceil(size / mostParts / mebibyte) * mebibyte);
  return { bytes, concurrency: Math.max(1, Math.min(4, Math.floor(heldBytes / bytes))) };
}

/**
 * Stores an object in parts, several at a time from a fixed set of buffers, so that a failed part is sent again without
 * reading the stream again. The object appears when all parts are there and the digest of the whole is right; on failure the
 * upload is taken back, so that nothing is left behind that costs space. What a killed worker left is taken up: parts that are
 * there are not sent again, unless it is to begin `afresh`.
 *
 * @throws TransferError `DigestMismatch`, `SizeMismatch`, `TagConflict` when the condition does not hold
 */
export async function uploadInParts(
  bucket: Bucket,
  key: string,
  content: FileContent,
  options: RequestOptions & { readonly condition?: WriteCondition | undefined; readonly afresh?: boolean } = {},
): Promise<void> {
  const { signal } = options;
  const left = options.afresh === true ? undefined : await findLeftUpload(bucket, key, signal);
  const uploadId = left?.uploadId ?? (await begin(bucket, key, signal));
  try {
    const parts = await sendParts(bucket, { key, uploadId, left: left?.parts }, content, signal);
    await complete(bucket, { key, uploadId }, parts, options);
  } catch (error) {
    await takeBack(bucket, { key, uploadId });
    throw error;
  }
}

interface Upload {
  readonly key: string;
  readonly uploadId: string;
  /** Parts that are there already, by number. */
  readonly left?: ReadonlyMap<number, LeftPart> | undefined;
}

async function begin(bucket: Bucket, key: string, signal: AbortSignal | undefined): Promise<string> {
  const headers = {
    'content-type': 'application/octet-stream',
    ...(bucket.speaksChecksums ? { 'x-amz-checksum-algorithm': 'SHA256' } : {}),
  };
  const answer = await bucket.ask({ method: 'POST', key, query: { uploads: '' }, headers, operation: `begin to write ${key}`, signal });
  const uploadId = childText(answer, 'UploadId');
  if (uploadId !== '') return uploadId;
  throw new TransferError('UnexpectedAnswer', `${bucket.name} begins an upload without an id`);
}

async function sendParts(bucket: Bucket, upload: Upload, content: FileContent, signal: AbortSignal | undefined): Promise<UploadedPart[]> {
  const { bytes, concurrency } = partsOf(content.size);
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const verifier = new DigestVerifier(content.digest, content.size, upload.key);
  const free = Array.from({ length: concurrency }, () => Buffer.allocUnsafeSlow(Math.min(bytes, content.size)));
  const uploaded: UploadedPart[] = [];
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let number = 0;
  let buffer: Buffer<ArrayBuffer> | undefined;
  let filled = 0;

  const send = (whole: Buffer<ArrayBuffer>, length: number): void => {
    number += 1;
    const task = sendPart(bucket, upload, { number, body: whole.subarray(0, length) }, both)
      .then((part) => {
        uploaded.push(part);
        free.push(whole);
      })
      .catch((error: unknown) => {
        failure ??= { error };
        stop.abort(error);
      })
      .finally(() => running.delete(task));
    running.add(task);
  };

  try {
    for await (const chunk of content.open()) {
      verifier.update(chunk);
      for (let offset = 0; offset < chunk.length;) {
        while (buffer === undefined && failure === undefined) {
          buffer = free.pop();
          if (buffer === undefined) await Promise.race(running);
        }
        if (buffer === undefined) break;
        const taken = chunk.copy(buffer, filled, offset);
        offset += taken;
        filled += taken;
        if (filled < buffer.length) continue;
        send(buffer, filled);
        buffer = undefined;
        filled = 0;
      }
      if (failure !== undefined) break;
    }
    if (failure === undefined) {
      verifier.finish();
      if (buffer !== undefined) send(buffer, filled);
    }
  } catch (error) {
    stop.abort(error);
    await Promise.all(running);
    throw error;
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure.error;
  return uploaded.sort((a, b) => a.number - b.number);
}

async function sendPart(
  bucket: Bucket,
  { key, uploadId, left }: Upload,
  { number, body }: { readonly number: number; readonly body: Buffer },
  signal: AbortSignal,
): Promise<UploadedPart> {
  const sha256 = createHash('sha256').update(body).digest();
  const there = left?.get(number);
  if (there?.size === body.length && there.checksum === sha256.toString('base64')) return { number, etag: there.etag, sha256 };
  const response = await bucket.request({
    method: 'PUT',
    key,
    query: { partNumber: String(number), uploadId },
    headers: bucket.checksumHeaders(sha256),
    body,
    operation: `write part ${number} of ${key}`,
    signal,
  });
  response.discard();
  const { etag } = response.headers;
  if (etag === undefined) throw new TransferError('UnexpectedAnswer', `${bucket.name} takes part ${number} of ${key} without an ETag`);
  return { number, etag, sha256 };
}

async function complete(
  bucket: Bucket,
  { key, uploadId }: Upload,
  parts: readonly UploadedPart[],
  { condition, signal }: RequestOptions & { readonly condition?: WriteCondition | undefined },
): Promise<void> {
  const elements = parts.map(({ number, etag, sha256 }) => {
    const checksum = bucket.speaksChecksums ? `<ChecksumSHA256>${sha256.toString('base64')}</ChecksumSHA256>` : '';
    return `<Part><PartNumber>${number}</PartNumber><ETag>${escaped(etag)}</ETag>${checksum}</Part>`;
  });
  const body = Buffer.from(
    `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${elements.join('')}</CompleteMultipartUpload>`,
  );
  try {
    const answer = await bucket.ask({
      method: 'POST',
      key,
      query: { uploadId },
      headers: { 'content-type': 'application/xml', 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex') },
      body,
      condition,
      operation: `complete ${key}`,
      signal,
    });
    if (answer.name === 'Error') throw completionError(bucket, key, childText(answer, 'Code'));
  } catch (error) {
    // An answer that got lost leaves open whether it was done, and a second try finds no upload any more.
    const isOpen = isTransferError(error) && (error.retryable || s3CodeOf(error) === 'NoSuchUpload');
    const there = isOpen ? await bucket.head(key, { signal }) : undefined;
    if (there === undefined || there.checksum !== checksumOf(parts)) throw error;
  }
}

/** It begins to answer 200 before it knows how it ends. */
function completionError(bucket: Bucket, key: string, code: string): TransferError {
  const isConflict = code === 'PreconditionFailed' || code === 'ConditionalRequestConflict';
  return new TransferError(isConflict ? 'TagConflict' : 'ServerError', `${bucket.name} could not complete ${key} (${code.slice(0, 80)})`, {
    retryable: true,
    details: { s3Code: code.slice(0, 80) },
    hint: 'Run the order again.',
  });
}

/** What the service says of an object that came in parts: the digest of their digests, and how many they are. */
function checksumOf(parts: readonly UploadedPart[]): string {
  const hash = createHash('sha256');
  for (const { sha256 } of parts) hash.update(sha256);
  return `${hash.digest('base64')}-${parts.length}`;
}

async function takeBack(bucket: Bucket, { key, uploadId }: Upload): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  try {
    const response = await bucket.request({
      method: 'DELETE',
      key,
      query: { uploadId },
      operation: `take back ${key}`,
      signal,
      expect: [404],
    });
    response.discard();
  } catch {
    // Why the upload failed is worth more than why its parts stay; rules of the bucket remove those.
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
