import type { HttpTransport } from '../http/http-transport.ts';
import { retryDelay } from '../http/retry.ts';
import { readLimited } from '../http/status-error.ts';
import { redactURL, sameOrigin } from '../http/url-rules.ts';
import type { WireResponse } from '../http/wire.ts';
import type { RequestOptions } from '../oci/repository.ts';
import { givenUp, TransferError } from '../transfer-error.ts';

export interface HttpFileOptions {
  /** Called when a broken download goes on. */
  readonly onResume?: (notice: { readonly offset: number; readonly reason: string; readonly delayMs: number }) => void;
  /** Largest file that is read, bytes; no limit unless told. */
  readonly maxBytes?: number | undefined;
  /** `any`: the server sends what it keeps, whatever encoding somebody wrote beside it. Other encodings are refused unless told. */
  readonly encodings?: 'identity' | 'any';
}

/** Bytes that must arrive between two failures for the count of failures to begin anew. */
const progressBytes = 1024 * 1024;

/** One file on a web server, read with GET and, where a connection breaks, with ranges (RFC 9110, section 14). */
export class HttpFile {
  readonly name: string;
  readonly #transport: HttpTransport;
  readonly #url: URL;
  readonly #options: HttpFileOptions;

  constructor(transport: HttpTransport, url: URL, options: HttpFileOptions = {}) {
    this.name = redactURL(url).replace(/^https?:\/\//, '');
    this.#transport = transport;
    this.#url = url;
    this.#options = options;
  }

  /** The size the server announces; undefined when it does not, or does not answer HEAD. @throws TransferError `TooLarge` */
  async size(options: RequestOptions = {}): Promise<number | undefined> {
    const response = await this.#request('HEAD', { ...options, expect: [400, 403, 404, 405, 410, 501] });
    response.discard();
    if (response.status >= 400) return undefined;
    const size = lengthOf(response);
    if (size !== undefined) this.#requireSize(size);
    return size;
  }

  /** The whole file. @throws TransferError `TooLarge` beyond `limit` bytes */
  async readAll(limit: number, options: RequestOptions = {}): Promise<Buffer> {
    return await readLimited(await this.#request('GET', options), limit, this.name);
  }

  /** As `readAll`, with the ETag of what was read. */
  async readVersion(limit: number, options: RequestOptions = {}): Promise<{ readonly bytes: Buffer; readonly etag: string | undefined }> {
    const response = await this.#request('GET', options);
    return { bytes: await readLimited(response, limit, this.name), etag: response.headers.etag };
  }

  /** As `readAll`, but undefined where the server has no such file. */
  async readIfThere(limit: number, options: RequestOptions = {}): Promise<Buffer | undefined> {
    const response = await this.#request('GET', { ...options, expect: [403, 404, 410] });
    if (response.status < 300) return await readLimited(response, limit, this.name);
    response.discard();
    return undefined;
  }

  /**
   * The bytes of the file, each once, however often the connection breaks. They are not verified: whoever knows a digest
   * has to compare.
   *
   * @throws TransferError `NotFound`, `TooLarge`, `UnexpectedAnswer` when the file changes while it is read
   */
  async *read(options: RequestOptions = {}): AsyncGenerator<Buffer> {
    const { clock, retryPolicy } = this.#transport;
    let offset = 0;
    let first: Version | undefined;
    let failures = 0;
    let reached = 0;
    for (;;) {
      try {
        const response: WireResponse = await this.#request('GET', { ...options, headers: rangeFrom(offset, first), expect: [416] });
        const here = versionOf(response, offset);
        if (response.status === 416 || (first !== undefined && changed(first, here))) {
          response.discard();
          throw new TransferError('UnexpectedAnswer', `${this.name} changed while it was read`, {
            retryable: true,
            hint: 'Try again when whoever publishes it has finished.',
          });
        }
        first ??= here;
        if (here.size !== undefined) this.#requireSize(here.size);
        for await (const chunk of response.status === 206 ? response.body : skip(response.body, offset)) {
          offset += chunk.length;
          this.#requireSize(offset);
          yield chunk;
        }
        if (first.size === undefined || offset === first.size) return;
        throw new TransferError('ConnectionFailed', `${this.name} ended after ${offset} of ${first.size} bytes`, {
          retryable: offset < first.size,
          hint: 'The server, or a proxy in front of it, ends answers early: look at its log and limits.',
        });
      } catch (error) {
        const resumable = error instanceof TransferError && error.retryable && error.tries === undefined;
        if (!resumable || error.code === 'UnexpectedAnswer') throw error;
        if (offset - reached >= progressBytes) failures = 0;
        reached = offset;
        if (failures + 1 >= retryPolicy.attempts) throw givenUp(error, failures + 1);
        const delayMs = retryDelay(retryPolicy, failures, error);
        failures += 1;
        this.#options.onResume?.({ offset, reason: error.message, delayMs });
        await clock.sleep(delayMs, options.signal);
      }
    }
  }

  async #request(
    method: 'GET' | 'HEAD',
    options: RequestOptions & { readonly headers?: Readonly<Record<string, string>>; readonly expect?: readonly number[] },
  ): Promise<WireResponse> {
    const { expect = [], ...rest } = options;
    const operation = `read ${this.name}`;
    const response = await this.#transport.request({ ...rest, method, url: this.#url, operation, expect: [...expect, 404, 410] });
    this.#requireIdentity(response);
    if ((response.status !== 404 && response.status !== 410) || expect.includes(response.status)) return response;
    response.discard();
    throw new TransferError('NotFound', `${response.url.host} has no such file`, {
      status: response.status,
      hint: sameOrigin(response.url, this.#url)
        ? 'Check the path, and remoteURL of the endpoint; some servers also answer so when credentials are missing.'
        : 'The server redirects to it: check that the file is still published there.',
    });
  }

  /** Bytes that were encoded for the way are not those of the file. */
  #requireIdentity(response: WireResponse): void {
    const encoding = response.headers['content-encoding'] ?? 'identity';
    // Many servers call an archive that is compressed by itself so.
    const isItself = /^(?:x-)?gzip$/.test(encoding) && this.#url.pathname.endsWith('gz');
    if (response.status >= 300 || encoding === 'identity' || isItself || this.#options.encodings === 'any') return;
    response.discard();
    throw new TransferError(
      'UnexpectedAnswer',
      `${response.url.host} sends ${this.name} encoded as ${JSON.stringify(encoding.slice(0, 40))}`,
      {
        hint: 'Let the server, or the proxy in front of it, send files as they are.',
      },
    );
  }

  #requireSize(size: number): void {
    const { maxBytes } = this.#options;
    if (maxBytes !== undefined && size > maxBytes)
      throw new TransferError('TooLarge', `${this.name} has more than the ${maxBytes} bytes that are allowed`, {
        hint: 'Raise the limit if the file is meant to be so large.',
      });
  }
}

/** What tells one content of a URL from another. */
interface Version {
  readonly size: number | undefined;
  readonly etag: string | undefined;
  readonly modified: string | undefined;
}

function versionOf(response: WireResponse, offset: number): Version {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers['content-range'] ?? '');
  if (response.status === 206 && (range === null || Number(range[1]) !== offset)) {
    response.discard();
    throw new TransferError('UnexpectedAnswer', `${response.url.host} served another range than asked for`);
  }
  const size = response.status !== 206 ? lengthOf(response) : range?.[2] === '*' ? undefined : Number(range?.[2]);
  return { size, etag: response.headers.etag, modified: response.headers['last-modified'] };
}

function changed(before: Version, now: Version): boolean {
  const differs = (a: unknown, b: unknown): boolean => a !== undefined && b !== undefined && a !== b;
  return differs(before.size, now.size) || differs(before.etag, now.etag) || differs(before.modified, now.modified);
}

function rangeFrom(offset: number, first: Version | undefined): Readonly<Record<string, string>> {
  if (offset === 0) return {};
  // Only a strong validator may guard a range (RFC 9110, 13.1.5).
  const strong = first?.etag !== undefined && !first.etag.startsWith('W/') ? { 'if-range': first.etag } : {};
  return { range: `bytes=${offset}-`, ...strong };
}

function lengthOf(response: WireResponse): number | undefined {
  const text = response.headers['content-length'];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

async function* skip(body: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  let left = count;
  for await (const chunk of body) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      yield left === 0 ? chunk : chunk.subarray(left);
      left = 0;
    }
  }
}
