import { createHash } from 'node:crypto';
import { isDigest, type Digest } from '../digest/digest.ts';
import { HttpFile, type HttpFileOptions } from '../files/http-file.ts';
import { HttpTransport, type HttpTransportOptions } from '../http/http-transport.ts';
import { readLimited } from '../http/status-error.ts';
import type { WireResponse } from '../http/wire.ts';
import type { RequestOptions } from '../oci/repository.ts';
import { isTransferError, TransferError } from '../transfer-error.ts';
import { type BucketLocation, inRegion, objectURL } from './bucket-location.ts';
import { explainS3, regionIn, s3CodeOf } from './s3-error.ts';
import { encodeQuery, type S3Credentials, signV4 } from './signature-v4.ts';
import { parseXml, type XmlElement } from './xml.ts';

export interface BucketOptions extends Omit<HttpTransportOptions, 'sign' | 'explain' | 'redirects' | 'credentials' | 'preemptive'> {
  /** Requests are not signed without them: public buckets. */
  readonly access?: S3Credentials | undefined;
  /** Where the address does not say it: us-east-1 unless told; the service corrects it. */
  readonly region?: string | undefined;
}

/** What a bucket says about an object. */
export interface ObjectHead {
  readonly size: number;
  /** With its quotes. */
  readonly etag: string | undefined;
  /** The SHA-256 of the whole object where the service computed it when it took it. */
  readonly sha256: Digest | undefined;
  /** `x-amz-checksum-sha256` as it is: of an object that came in parts, the digest of their digests and a number. */
  readonly checksum: string | undefined;
}

/** Only if the object is not there, or is the one with this ETag. */
export type WriteCondition = { readonly ifNoneMatch: '*' } | { readonly ifMatch: string };

interface BucketRequest extends RequestOptions {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Below the prefix of the location; the bucket itself without one. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly operation: string;
  readonly expect?: readonly number[];
  /** Left out where the service does not know conditions of writes. */
  readonly condition?: WriteCondition | undefined;
}

const answerLimit = 8 * 1024 * 1024;

/**
 * One bucket of an S3-compatible service, with a prefix before every key. Requests are signed anew for each try; redirects are
 * never followed: a region that the service names is where Amazon's host for that region is asked, and nobody else.
 */
export class Bucket implements Disposable {
  readonly #options: BucketOptions;
  #location: BucketLocation;
  #region: string;
  #transport: HttpTransport;
  #corrected = false;
  #knowsConditions: boolean;

  constructor(location: BucketLocation, options: BucketOptions = {}) {
    this.#options = options;
    this.#location = location;
    this.#region = location.region ?? options.region ?? 'us-east-1';
    if (location.isAWS && location.region === undefined) this.#location = inRegion(location, this.#region);
    this.#transport = this.#connect();
    this.#knowsConditions = this.speaksChecksums;
  }

  /** `host/bucket/prefix`, without a slash at the end. */
  get name(): string {
    const { origin, bucket, prefix } = this.#location;
    return `${origin.host}${this.#location.style === 'path' ? `/${bucket}` : ''}/${prefix}`.replace(/\/$/, '');
  }

  /** What stands before every key: empty, or ending with a slash. */
  get prefix(): string {
    return this.#location.prefix;
  }

  /** False once the service has said that it does not. */
  get knowsConditions(): boolean {
    return this.#knowsConditions;
  }

  /** Google's service speaks S3 but for checksums and conditions of writes. */
  get speaksChecksums(): boolean {
    return !/(?:^|\.)storage\.googleapis\.com$/.test(this.#location.origin.hostname);
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }

  /** @throws TransferError; what S3 calls it is in `s3CodeOf` */
  async request(request: BucketRequest): Promise<WireResponse> {
    try {
      return await this.#send(request);
    } catch (error) {
      if (request.condition !== undefined && this.#knowsConditions && s3CodeOf(error) === 'NotImplemented') {
        this.#knowsConditions = false;
        return await this.request(request);
      }
      const region = regionIn(error);
      if (region === undefined || this.#corrected || region === this.#region) throw error;
      this.#corrected = true;
      this.#region = region;
      this.#location = inRegion(this.#location, region);
      this.#transport[Symbol.dispose]();
      this.#transport = this.#connect();
      return await this.#send(request);
    }
  }

  /** As `request`, with the XML of the answer. */
  async ask(request: BucketRequest): Promise<XmlElement> {
    const response = await this.request(request);
    return parseXml((await readLimited(response, answerLimit, request.operation)).toString('utf8'), request.operation);
  }

  /** @throws TransferError `Forbidden` where the object is missing and the access key may not list the bucket */
  async head(key: string, options: RequestOptions = {}): Promise<ObjectHead | undefined> {
    try {
      return await this.#head(key, options);
    } catch (error) {
      if (!isTransferError(error) || (error.status !== 400 && error.status !== 403)) throw error;
      // An answer to HEAD cannot say why. What is said of the first byte may: an error, or the region to ask in.
      const headers = { range: 'bytes=0-0' };
      const response = await this.request({ ...options, method: 'GET', key, headers, operation: `look at ${key}`, expect: [416] });
      response.discard();
      return await this.#head(key, options);
    }
  }

  /** As `head`, where the object has to be there. @throws TransferError `NotFound` */
  async requireObject(key: string, options: RequestOptions = {}): Promise<ObjectHead> {
    const head = await this.head(key, options);
    if (head !== undefined) return head;
    const response = await this.request({ ...options, method: 'GET', key, headers: { range: 'bytes=0-0' }, operation: `look at ${key}` });
    response.discard();
    throw new TransferError('NotFound', `${this.name} has no object ${JSON.stringify(key)}`, { status: 404, retryable: true });
  }

  /** The content of an object. Ask for its head first: that is where a wrong region or missing right is noticed. */
  file(key: string, options: HttpFileOptions = {}): HttpFile {
    return new HttpFile(this.#transport, objectURL(this.#location, key), { ...options, encodings: 'any' });
  }

  /** Stores bytes in one request; the service compares their SHA-256. Returns the ETag. */
  async put(
    key: string,
    bytes: Buffer,
    options: RequestOptions & { readonly condition?: WriteCondition | undefined } = {},
  ): Promise<string | undefined> {
    const sha256 = createHash('sha256').update(bytes).digest();
    const response = await this.request({
      method: 'PUT',
      key,
      body: bytes,
      headers: { 'content-type': 'application/octet-stream', ...this.checksumHeaders(sha256) },
      condition: options.condition,
      operation: `write ${key}`,
      signal: options.signal,
    });
    response.discard();
    return response.headers.etag;
  }

  /** What says which bytes a body has: signed, and where the service knows it kept with the object. */
  checksumHeaders(sha256: Buffer): Record<string, string> {
    return {
      'x-amz-content-sha256': sha256.toString('hex'),
      ...(this.speaksChecksums ? { 'x-amz-checksum-sha256': sha256.toString('base64') } : {}),
    };
  }

  async #head(key: string, options: RequestOptions): Promise<ObjectHead | undefined> {
    const headers = this.speaksChecksums ? { 'x-amz-checksum-mode': 'ENABLED' } : {};
    const response = await this.request({ ...options, method: 'HEAD', key, headers, operation: `look at ${key}`, expect: [404] });
    response.discard();
    return response.status === 404 ? undefined : headOf(response);
  }

  async #send(request: BucketRequest): Promise<WireResponse> {
    const { method, key, query, headers, body, operation, expect, condition, signal } = request;
    return this.#transport.request({
      method,
      url: objectURL(this.#location, key, query === undefined ? '' : encodeQuery(query)),
      operation,
      headers: { ...headers, ...(this.#knowsConditions ? conditionHeaders(condition) : {}) },
      ...(body === undefined ? {} : { body }),
      ...(expect === undefined ? {} : { expect }),
      signal,
    });
  }

  #connect(): HttpTransport {
    const { access, region: _region, ...options } = this.#options;
    const clock = (): number => this.#transport.clock.now();
    const region = this.#region;
    return new HttpTransport(this.#location.origin, {
      ...options,
      redirects: 'answer',
      explain: explainS3,
      ...(access === undefined ? {} : { sign: (request) => signV4(request, access, { region, now: clock() }) }),
    });
  }
}

function conditionHeaders(condition: WriteCondition | undefined): Record<string, string> {
  if (condition === undefined) return {};
  return 'ifMatch' in condition ? { 'if-match': condition.ifMatch } : { 'if-none-match': condition.ifNoneMatch };
}

function headOf(response: WireResponse): ObjectHead {
  const { headers } = response;
  const length = headers['content-length'] ?? '';
  if (!/^\d{1,15}$/.test(length)) throw new TransferError('UnexpectedAnswer', `${response.url.host} does not say how large the object is`);
  const checksum = headers['x-amz-checksum-sha256'];
  const isWhole = headers['x-amz-checksum-type'] !== 'COMPOSITE' && typeof checksum === 'string' && /^[A-Za-z0-9+/]{43}=$/.test(checksum);
  const digest = isWhole ? `sha256:${Buffer.from(checksum, 'base64').toString('hex')}` : '';
  return {
    size: Number(length),
    etag: headers.etag,
    sha256: isDigest(digest) ? digest : undefined,
    checksum: typeof checksum === 'string' ? checksum : undefined,
  };
}
