import { type Descriptor, readDescriptor } from '../descriptor/descriptor.ts';
import type { Manifest } from '../descriptor/manifest.ts';
import { type Digest, DigestVerifier } from '../digest/digest.ts';
import { retryDelay } from '../http/retry.ts';
import { givenUp, isTransferError, TransferError } from '../transfer-error.ts';
import { readReferrersIndex, referrersTag, withReferrer } from './referrers-index.ts';
import type { RegistryClient, UploadSession } from './registry-client.ts';
import type { Mounter, RequestOptions, WritableRepository } from './repository.ts';

export interface RegistryRepositoryOptions {
  /** Uploads blobs in chunks of this many bytes, which can be resumed; 0 (the default) sends each in one request. */
  readonly chunkBytes?: number;
  /** Called when a broken download goes on. */
  readonly onResume?: (notice: {
    readonly digest: Digest;
    readonly offset: number;
    readonly reason: string;
    readonly delayMs: number;
  }) => void;
}

/** Bytes that must arrive between two failures for the count of failures to begin anew. */
const progressBytes = 1024 * 1024;

/** What registries that take no whole blobs take: at least 5 MiB (ECR), and less than proxies commonly allow. */
const smallChunkBytes = 5 * 1024 * 1024;

/** How often a referrer is added to the list of its subject before somebody else's writing is too much. */
const listTries = 3;

/** One repository of a registry. */
export class RegistryRepository implements WritableRepository {
  readonly name: string;
  readonly mountPoint: Mounter['mountPoint'];
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #options: RegistryRepositoryOptions;
  readonly #sessions = new Map<Digest, UploadSession>();
  readonly #subjectLocks = new Map<Digest, Promise<unknown>>();
  #servesReferrers = true;
  /** Set once the registry, or a proxy before it, has refused a blob in one piece. */
  #learnedChunkBytes = 0;

  constructor(client: RegistryClient, repository: string, options: RegistryRepositoryOptions = {}) {
    const { origin } = client.transport;
    this.name = `${origin.host}/${repository}`;
    this.mountPoint = { place: origin.origin, repository };
    this.#client = client;
    this.#repository = repository;
    this.#options = options;
  }

  resolve(reference: string, options?: RequestOptions): Promise<Descriptor | undefined> {
    return this.#client.resolve(this.#repository, reference, options);
  }

  fetchManifest(reference: string, options?: RequestOptions): Promise<Manifest | undefined> {
    return this.#client.getManifest(this.#repository, reference, options);
  }

  /** Goes on by Range where a connection broke, with the hash carried over. */
  async *fetchBlob(descriptor: Descriptor, options: RequestOptions = {}): AsyncGenerator<Buffer> {
    const { digest, size } = descriptor;
    const { clock, retryPolicy } = this.#client.transport;
    const verifier = new DigestVerifier(digest, size, `blob ${digest} of ${this.name}`);
    let held: Buffer | undefined;
    let failures = 0;
    let reached = 0;
    while (verifier.received < size || held === undefined) {
      try {
        const body = await this.#client.getBlob(this.#repository, digest, { ...options, offset: verifier.received });
        for await (const chunk of body) {
          verifier.update(chunk);
          if (held !== undefined) yield held;
          held = chunk;
        }
        if (verifier.received < size) throw this.#endedEarly(digest, verifier.received, size);
        break;
      } catch (error) {
        // There is nothing at the offset: the blob ends where it should go on.
        if (isTransferError(error, 'Refused') && error.status === 416 && verifier.received > 0) break;
        if (!(error instanceof TransferError) || !error.retryable || error.tries !== undefined) throw error;
        if (verifier.received - reached >= progressBytes) failures = 0;
        reached = verifier.received;
        if (failures + 1 >= retryPolicy.attempts) throw givenUp(error, failures + 1);
        const delayMs = retryDelay(retryPolicy, failures, error);
        failures += 1;
        this.#options.onResume?.({ digest, offset: verifier.received, reason: error.message, delayMs });
        await clock.sleep(delayMs, options.signal);
      }
    }
    verifier.finish();
    if (held !== undefined) yield held;
  }

  async *listTags(options?: RequestOptions): AsyncGenerator<string> {
    yield* this.#client.listTags(this.#repository, options);
  }

  async listReferrers(subject: Descriptor, options?: RequestOptions): Promise<readonly Descriptor[]> {
    if (this.#servesReferrers) {
      const listed = await this.#client.listReferrers(this.#repository, subject.digest, options);
      if (listed !== undefined)
        return listed.map((entry, index) => readDescriptor(entry, `referrers of ${subject.digest}, manifests[${index}]`));
      this.#servesReferrers = false;
    }
    return this.#referrersByTag(subject.digest, options);
  }

  async hasBlob(descriptor: Descriptor, options?: RequestOptions): Promise<boolean> {
    const size = await this.#client.headBlob(this.#repository, descriptor.digest, options);
    return size !== undefined && (Number.isNaN(size) || size === descriptor.size);
  }

  async mountBlob(descriptor: Descriptor, from: string, options: RequestOptions = {}): Promise<boolean> {
    const mount = { digest: descriptor.digest, from };
    const outcome = await this.#client.startUpload(this.#repository, { ...options, mount });
    // A registry that cannot mount opens an ordinary session instead, which the upload then uses.
    if (!outcome.mounted && outcome.session !== undefined) this.#sessions.set(descriptor.digest, outcome.session);
    return outcome.mounted;
  }

  async pushBlob(descriptor: Descriptor, stream: AsyncIterable<Buffer>, options: RequestOptions = {}): Promise<void> {
    const session = await this.#openSession(descriptor.digest, options);
    const chunkBytes = this.#options.chunkBytes || this.#learnedChunkBytes;
    try {
      if (chunkBytes === 0) {
        await this.#client.finishUpload(this.#repository, session, descriptor.digest, {
          ...options,
          body: { length: descriptor.size, stream },
        });
      } else {
        await this.#pushChunks(descriptor, stream, session, Math.max(chunkBytes, session.chunkMinLength), options);
      }
    } catch (error) {
      await this.#client.cancelUpload(this.#repository, session, { signal: AbortSignal.timeout(2000) });
      if (chunkBytes > 0 || descriptor.size <= smallChunkBytes || !isTransferError(error, 'TooLarge') || error.status !== 413) throw error;
      this.#learnedChunkBytes = smallChunkBytes;
      throw new TransferError('TooLarge', `${error.message}; it is sent in chunks instead`, { status: 413, retryable: true, cause: error });
    }
  }

  async pushManifest(manifest: Manifest, options?: RequestOptions): Promise<void> {
    await this.#put(manifest, manifest.descriptor.digest, options);
  }

  async tagManifest(manifest: Manifest, tag: string, options?: RequestOptions): Promise<void> {
    await this.#put(manifest, tag, options);
  }

  async #openSession(digest: Digest, options: RequestOptions): Promise<UploadSession> {
    const opened = this.#sessions.get(digest);
    this.#sessions.delete(digest);
    if (opened !== undefined) return opened;
    const outcome = await this.#client.startUpload(this.#repository, options);
    if (!outcome.mounted && outcome.session !== undefined) return outcome.session;
    throw new TransferError('UnexpectedAnswer', `${this.name}: the registry opened no upload for blob ${digest}`);
  }

  async #put(manifest: Manifest, reference: string, options?: RequestOptions): Promise<void> {
    const { subjectRecorded } = await this.#client.putManifest(this.#repository, reference, manifest, options);
    if (manifest.subject !== undefined && !subjectRecorded) await this.#recordSubject(manifest.subject.digest, manifest, options);
  }

  /** Keeps the list of referrers that a registry without the referrers API does not keep itself. */
  async #recordSubject(subject: Digest, referrer: Manifest, options?: RequestOptions): Promise<void> {
    const before = this.#subjectLocks.get(subject) ?? Promise.resolve();
    const record = async (): Promise<void> => {
      // Read again each time: registries do not enforce If-Match, so that somebody else's list may have replaced ours.
      for (let tries = 0; tries < listTries; tries += 1) {
        const index = withReferrer(await this.#referrersByTag(subject, options), referrer);
        if (index === undefined) return;
        await this.#client.putManifest(this.#repository, referrersTag(subject), index, options);
      }
      if (withReferrer(await this.#referrersByTag(subject, options), referrer) === undefined) return;
      throw new TransferError('UnexpectedAnswer', `${this.name}: the list of referrers of ${subject} does not keep what is added to it`, {
        retryable: true,
        hint: 'Somebody else may be writing it at the same time: try again.',
      });
    };
    const after = before.then(record, record);
    this.#subjectLocks.set(subject, after);
    await after;
  }

  async #referrersByTag(subject: Digest, options?: RequestOptions): Promise<readonly Descriptor[]> {
    return readReferrersIndex(subject, await this.#client.getManifest(this.#repository, referrersTag(subject), options));
  }

  async #pushChunks(
    descriptor: Descriptor,
    stream: AsyncIterable<Buffer>,
    opened: UploadSession,
    chunkBytes: number,
    options: RequestOptions,
  ): Promise<void> {
    let session = opened;
    for await (const chunk of inChunks(stream, chunkBytes)) session = await this.#pushChunk(chunk, session, options);
    await this.#client.finishUpload(this.#repository, session, descriptor.digest, options);
  }

  /** Sends one chunk, however often the connection breaks, from where the registry says it is. */
  async #pushChunk(chunk: Buffer, session: UploadSession, options: RequestOptions): Promise<UploadSession> {
    const start = session.offset;
    const end = start + chunk.length;
    const { clock, retryPolicy } = this.#client.transport;
    for (let failures = 0; session.offset < end;) {
      const before = session.offset;
      try {
        session = await this.#client.uploadChunk(this.#repository, session, chunk.subarray(session.offset - start), options);
        if (session.offset > before && session.offset <= end) continue;
        throw new TransferError('UnexpectedAnswer', `${this.name}: the registry loses the chunks of an upload`, {
          hint: 'Upload in one request instead of chunks.',
        });
      } catch (error) {
        const resumable = error instanceof TransferError && (error.retryable || error.status === 416);
        if (!resumable || failures + 1 >= retryPolicy.attempts) throw error;
        await clock.sleep(retryDelay(retryPolicy, failures, error), options.signal);
        failures += 1;
        const found = await this.#client.uploadStatus(this.#repository, session, options);
        if (found === undefined || found.offset < start || found.offset > end) throw error;
        session = found;
      }
    }
    return session;
  }

  #endedEarly(digest: Digest, received: number, size: number): TransferError {
    return new TransferError('ConnectionFailed', `blob ${digest} of ${this.name}: the answer ended after ${received} of ${size} bytes`, {
      retryable: true,
      hint: 'The registry, or a proxy in front of it, ends answers early: look at its log and limits.',
    });
  }
}

async function* inChunks(stream: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(size);
  let filled = 0;
  for await (const piece of stream) {
    for (let offset = 0; offset < piece.length;) {
      const copied = piece.copy(buffer, filled, offset);
      filled += copied;
      offset += copied;
      if (filled < size) continue;
      yield buffer;
      filled = 0;
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}
