import { createHash, randomUUID } from 'node:crypto';
import { algorithmOf, type Digest, digestOf } from '../digest/digest.ts';
import type { HttpTransport } from '../http/http-transport.ts';
import { retryDelay } from '../http/retry.ts';
import type { StreamBody, WireResponse } from '../http/wire.ts';
import type { RequestOptions } from '../oci/repository.ts';
import { once } from '../once.ts';
import { givenUp, isTransferError, TransferError } from '../transfer-error.ts';
import { parseFileName } from './base-url.ts';
import { type FileContent, type FileStore, type VersionedFile, writtenMeanwhile } from './file-store.ts';
import { HttpFile } from './http-file.ts';

/** Largest file that is read again to see whether it is still the same, bytes: no server may fill the memory by answering anew. */
const comparedLimit = 64 * 1024 * 1024;

/** What the server turned out to be. */
interface Abilities {
  /** WebDAV (RFC 4918): collections have to be made, and a file can be moved into its place when it is complete. */
  readonly webdav: boolean;
  /** WebDAV, class 2: a file can be locked. */
  readonly locks: boolean;
  /** `If-Match` and `If-None-Match` of a PUT are obeyed (RFC 9110, section 13). */
  conditions: boolean | undefined;
}

/**
 * A web server that takes files by PUT: WebDAV, or the repositories of artifact managers. With WebDAV a file is moved into its
 * place when it is complete; elsewhere a PUT that breaks has to leave nothing, which is up to the server.
 */
export class HttpStore implements FileStore {
  readonly #transport: HttpTransport;
  readonly #base: URL;
  readonly #collections = new Set<string>();
  #abilities: Promise<Abilities> | undefined;
  #disregarded = false;

  /** `base` ends with a slash. */
  constructor(transport: HttpTransport, base: URL) {
    this.#transport = transport;
    this.#base = base;
  }

  get name(): string {
    return `${this.#base.host}${this.#base.pathname.replace(/\/$/, '')}`;
  }

  get warnings(): readonly string[] {
    return this.#disregarded
      ? [`${this.name} disregards If-Match: of two deliveries that write one name at the same moment the later one stays`]
      : [];
  }

  async digest(path: string, like: Digest, options: RequestOptions = {}): Promise<Digest | undefined> {
    const algorithm = algorithmOf(like);
    const hash = createHash(algorithm);
    try {
      for await (const chunk of this.#file(path).read(options)) hash.update(chunk);
    } catch (error) {
      if (isTransferError(error, 'NotFound')) return undefined;
      throw error;
    }
    return `${algorithm}:${hash.digest('hex')}`;
  }

  async write(path: string, content: FileContent, options: RequestOptions & { readonly overwrite?: boolean } = {}): Promise<void> {
    const { signal, overwrite = false } = options;
    const { webdav } = await this.#able(signal);
    if (webdav) await this.#makeCollections(path, signal);
    const conflict = await this.#repeatedly(signal, () =>
      webdav ? this.#moveIntoPlace(path, content, { overwrite, signal }) : this.#putOnce(path, content, { overwrite, signal }),
    );
    if (!conflict || (await this.digest(path, content.digest, { signal })) === content.digest) return;
    throw writtenMeanwhile(`${this.name}/${path}`);
  }

  async readVersioned(path: string, limit: number, options: RequestOptions = {}): Promise<VersionedFile | undefined> {
    try {
      const { bytes, etag } = await this.#file(path).readVersion(limit, options);
      // Without an ETag a conditional write cannot be; the content itself then tells whether it is still the same.
      return { bytes, version: etag !== undefined && !etag.startsWith('W/') ? etag : digestOf(bytes) };
    } catch (error) {
      if (isTransferError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async replace(path: string, bytes: Buffer, version: string | undefined, options: RequestOptions = {}): Promise<boolean> {
    const { signal } = options;
    const abilities = await this.#able(signal);
    if (abilities.webdav) await this.#makeCollections(path, signal);
    abilities.conditions ??= await this.#obeysConditions(path, signal);
    const conditional = abilities.conditions && version?.startsWith('"') !== false;
    if (!conditional && abilities.locks) return this.#replaceLocked(path, bytes, version, signal);
    this.#disregarded = !conditional;
    if (!conditional && (await this.readVersioned(path, comparedLimit, options))?.version !== version) return false;
    const response = await this.#transport.request({
      method: 'PUT',
      url: this.#url(path),
      operation: `write ${path}`,
      headers: {
        'content-type': 'application/octet-stream',
        ...(!conditional ? {} : version === undefined ? { 'if-none-match': '*' } : { 'if-match': version }),
      },
      body: bytes,
      expect: [404, 409, 412],
      signal,
    });
    response.discard();
    // An answer that got lost on the way makes the second try a conflict; and who was not held back is asked whether it stayed.
    if (response.status < 300 && conditional) return true;
    const there = await this.readVersioned(path, comparedLimit, options);
    return there?.bytes.equals(bytes) === true;
  }

  /** A new file is moved into a place that has to be free; another is locked while it is compared and replaced. */
  async #replaceLocked(path: string, bytes: Buffer, version: string | undefined, signal: AbortSignal | undefined): Promise<boolean> {
    const content = { digest: digestOf(bytes), size: bytes.length, open: () => once(bytes) };
    const move = (headers: Readonly<Record<string, string>>): Promise<boolean> =>
      this.#repeatedly(signal, () => this.#moveIntoPlace(path, content, { overwrite: version !== undefined, signal, headers }));
    if (version === undefined) return !(await move({}));
    const url = this.#url(path);
    const lock = await this.#transport.request({
      method: 'LOCK',
      url,
      operation: `lock ${path}`,
      headers: { timeout: 'Second-60', depth: '0', 'content-type': 'application/xml' },
      body: Buffer.from(
        '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>arc</owner></lockinfo>',
      ),
      expect: [412, 423],
      signal,
    });
    lock.discard();
    const { 'lock-token': token } = lock.headers;
    if (lock.status >= 300) return false;
    if (typeof token !== 'string' || !/^<[^<>\s]{1,500}>$/.test(token))
      throw new TransferError('UnexpectedAnswer', `${this.name} locks ${path} without a token`);
    try {
      if ((await this.readVersioned(path, comparedLimit, { signal }))?.version !== version) return false;
      return !(await move({ if: `<${url.href}> (${token})` }));
    } finally {
      await this.#unlock(url, token);
    }
  }

  async #unlock(url: URL, token: string): Promise<void> {
    try {
      const signal = AbortSignal.timeout(10_000);
      const headers = { 'lock-token': token };
      (await this.#transport.request({ method: 'UNLOCK', url, operation: 'unlock', headers, expect: [403, 404, 409], signal })).discard();
    } catch {
      // It ends by itself after a minute.
    }
  }

  /** True when there is another file already. */
  async #putOnce(
    path: string,
    content: FileContent,
    options: { readonly overwrite: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<boolean> {
    const condition = options.overwrite ? {} : { 'if-none-match': '*' };
    const response = await this.#put(this.#url(path), content, {
      headers: condition,
      expect: [412],
      operation: `write ${path}`,
      signal: options.signal,
    });
    return response.status === 412;
  }

  async #moveIntoPlace(
    path: string,
    content: FileContent,
    {
      overwrite,
      signal,
      headers: more = {},
    }: { readonly overwrite: boolean; readonly signal: AbortSignal | undefined; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<boolean> {
    const target = this.#url(path);
    const temporary = new URL(`.partial-${randomUUID()}`, target);
    try {
      await this.#put(temporary, content, { headers: {}, expect: [], operation: `write ${path}`, signal });
      const headers = { destination: target.href, overwrite: overwrite ? 'T' : 'F', ...more };
      const response = await this.#transport.request({
        method: 'MOVE',
        url: temporary,
        operation: `move ${path} into its place`,
        headers,
        // Locked is what another one does who writes it at this moment.
        expect: [412, 423],
        signal,
      });
      response.discard();
      const conflict = response.status >= 300;
      if (conflict) await this.#remove(temporary);
      return conflict;
    } catch (error) {
      await this.#remove(temporary);
      throw error;
    }
  }

  async #put(
    url: URL,
    content: FileContent,
    request: {
      readonly headers: Readonly<Record<string, string>>;
      readonly expect: readonly number[];
      readonly operation: string;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<WireResponse> {
    const body: StreamBody = { length: content.size, stream: content.open() };
    const headers = { 'content-type': 'application/octet-stream', ...request.headers };
    const response = await this.#transport.request({ ...request, method: 'PUT', url, headers, body });
    response.discard();
    return response;
  }

  /** A stream is sent once by the transport; here it is begun again. */
  async #repeatedly<T>(signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
    const { clock, retryPolicy } = this.#transport;
    for (let tries = 0; ; tries += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!isTransferError(error) || !error.retryable || error.tries !== undefined) throw error;
        if (tries + 1 >= retryPolicy.attempts) throw givenUp(error, tries + 1);
        await clock.sleep(retryDelay(retryPolicy, tries, error), signal);
      }
    }
  }

  #able(signal: AbortSignal | undefined): Promise<Abilities> {
    return (this.#abilities ??= this.#discover(signal));
  }

  async #discover(signal: AbortSignal | undefined): Promise<Abilities> {
    const response = await this.#transport.request({
      method: 'OPTIONS',
      url: this.#base,
      operation: 'ask what the server can do',
      expect: [400, 403, 404, 405, 501],
      signal,
    });
    response.discard();
    const { dav, allow } = response.headers;
    const canMove = typeof allow !== 'string' || /\bMOVE\b/i.test(allow);
    const webdav = response.status < 300 && dav !== undefined && canMove;
    const classes = String(dav)
      .split(',')
      .map((part) => part.trim());
    return { webdav, locks: webdav && classes.includes('2'), conditions: undefined };
  }

  /** Tried on a name that nobody has: a server that obeys does not write it. */
  async #obeysConditions(path: string, signal: AbortSignal | undefined): Promise<boolean> {
    const url = new URL(`.partial-${randomUUID()}`, this.#url(path));
    const response = await this.#transport.request({
      method: 'PUT',
      url,
      operation: 'try a conditional write',
      headers: { 'if-match': '"none"', 'content-type': 'application/octet-stream' },
      body: Buffer.from('a write that should not have been\n'),
      expect: [404, 409, 412],
      signal,
    });
    response.discard();
    if (response.status < 300) await this.#remove(url);
    return response.status >= 300;
  }

  async #makeCollections(path: string, signal: AbortSignal | undefined): Promise<void> {
    const folders = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= folders.length; depth += 1) {
      const folder = folders.slice(0, depth).join('/');
      if (this.#collections.has(folder)) continue;
      const url = new URL(`${this.#url(folder).href}/`);
      const response = await this.#transport.request({ method: 'MKCOL', url, operation: `make ${folder}`, expect: [301, 405], signal });
      response.discard();
      this.#collections.add(folder);
    }
  }

  async #remove(url: URL): Promise<void> {
    try {
      const signal = AbortSignal.timeout(10_000);
      const response = await this.#transport.request({
        method: 'DELETE',
        url,
        operation: 'remove what was not finished',
        expect: [404],
        signal,
      });
      response.discard();
    } catch {
      // Why the write failed is worth more than what it left.
    }
  }

  #file(path: string): HttpFile {
    return new HttpFile(this.#transport, this.#url(path));
  }

  #url(path: string): URL {
    return new URL(
      path
        .split('/')
        .map((part) => encodeURIComponent(parseFileName(part)))
        .join('/'),
      this.#base,
    );
  }
}
