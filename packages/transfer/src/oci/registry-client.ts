import type { Scope } from '../auth/challenge.ts';
import type { Descriptor } from '../descriptor/descriptor.ts';
import { manifestAccept } from '../descriptor/media-types.ts';
import { type Manifest, manifestLimit, parseManifest } from '../descriptor/manifest.ts';
import { algorithmOf, type Digest, isDigest } from '../digest/digest.ts';
import type { HttpRequest, HttpTransport } from '../http/http-transport.ts';
import { readLimited } from '../http/status-error.ts';
import { nextPage, resolveDerivedURL } from '../http/url-rules.ts';
import type { StreamBody, WireResponse } from '../http/wire.ts';
import { once } from '../once.ts';
import { TransferError } from '../transfer-error.ts';
import type { RequestOptions } from './repository.ts';

/** An upload session; its URL changes with every answer. */
export interface UploadSession {
  readonly url: URL;
  /** Bytes the registry has. */
  readonly offset: number;
  /** Smallest chunk the registry takes, 0 when it does not say. */
  readonly chunkMinLength: number;
}

export type MountOutcome = { readonly mounted: true } | { readonly mounted: false; readonly session: UploadSession | undefined };

/**
 * The requests of the distribution specification, one method each, over one transport. `access` is what tokens are
 * asked for from the start: `pull` to read, `push` to write too.
 */
export class RegistryClient {
  readonly transport: HttpTransport;
  readonly #actions: readonly string[];

  constructor(transport: HttpTransport, access: 'pull' | 'push' = 'pull') {
    this.transport = transport;
    this.#actions = access === 'push' ? ['pull', 'push'] : ['pull'];
  }

  /** Checks that something at the endpoint speaks the registry protocol and lets us in. */
  async ping(options: RequestOptions = {}): Promise<void> {
    const response = await this.#send('GET', new URL('/v2/', this.transport.origin), 'ping', { ...options, scopes: [] });
    response.discard();
  }

  /** HEAD of a manifest; GET where the registry's answer does not name the digest. */
  async resolve(repository: string, reference: string, options: RequestOptions = {}): Promise<Descriptor | undefined> {
    const operation = `resolve ${repository}${suffix(reference)}`;
    const headers = { accept: manifestAccept };
    const response = await this.#repository('HEAD', repository, `manifests/${reference}`, operation, {
      ...options,
      headers,
      expect: [404],
    });
    response.discard();
    if (response.status === 404) return undefined;
    const digest = header(response, 'docker-content-digest');
    const size = Number(header(response, 'content-length'));
    const mediaType = header(response, 'content-type')?.split(';')[0]?.trim();
    if (digest !== undefined && isDigest(digest) && Number.isSafeInteger(size) && mediaType !== undefined) {
      requireAsked(reference, digest, operation);
      return { mediaType, digest, size };
    }
    return (await this.getManifest(repository, reference, options))?.descriptor;
  }

  /** @throws TransferError `DigestMismatch` when the bytes are not what was asked for or what the registry says they are */
  async getManifest(repository: string, reference: string, options: RequestOptions = {}): Promise<Manifest | undefined> {
    const operation = `read manifest ${repository}${suffix(reference)}`;
    const headers = { accept: manifestAccept };
    const response = await this.#repository('GET', repository, `manifests/${reference}`, operation, { ...options, headers, expect: [404] });
    if (response.status === 404) {
      response.discard();
      return undefined;
    }
    const bytes = await readLimited(response, manifestLimit, operation);
    const algorithm = isDigest(reference) ? algorithmOf(reference) : 'sha256';
    const manifest = parseManifest(bytes, header(response, 'content-type') ?? '', algorithm);
    requireAsked(reference, manifest.descriptor.digest, operation);
    const said = header(response, 'docker-content-digest');
    if (said !== undefined && isDigest(said) && algorithmOf(said) === algorithm) requireAsked(said, manifest.descriptor.digest, operation);
    return manifest;
  }

  /** The size of a blob, or undefined when the repository does not hold it. */
  async headBlob(repository: string, digest: Digest, options: RequestOptions = {}): Promise<number | undefined> {
    const response = await this.#repository('HEAD', repository, `blobs/${digest}`, `look for blob ${digest}`, {
      ...options,
      expect: [404],
    });
    response.discard();
    return response.status === 404 ? undefined : Number(header(response, 'content-length') ?? Number.NaN);
  }

  /**
   * Opens a blob at `offset`. The bytes begin there whether or not the registry honours ranges, and are not yet verified.
   */
  async getBlob(
    repository: string,
    digest: Digest,
    options: RequestOptions & { readonly offset?: number } = {},
  ): Promise<AsyncIterable<Buffer>> {
    const { offset = 0 } = options;
    const operation = `read blob ${digest}`;
    const headers = offset === 0 ? {} : { range: `bytes=${offset}-` };
    const response = await this.#repository('GET', repository, `blobs/${digest}`, operation, { ...options, headers });
    if (response.status === 206) {
      if (header(response, 'content-range')?.startsWith(`bytes ${offset}-`) === true) return response.body;
      response.discard();
      throw new TransferError('UnexpectedAnswer', `${operation}: ${response.url.host} served another range than asked for`);
    }
    return offset === 0 ? response.body : skip(response.body, offset);
  }

  /** Opens an upload session, or mounts the blob when `mount` names a repository of this registry that holds it. */
  async startUpload(
    repository: string,
    options: RequestOptions & { readonly mount?: { readonly digest: Digest; readonly from: string } } = {},
  ): Promise<MountOutcome> {
    const { mount } = options;
    const query = mount === undefined ? '' : `?mount=${mount.digest}&from=${encodeURIComponent(mount.from)}`;
    const response = await this.#repository(
      'POST',
      repository,
      `blobs/uploads/${query}`,
      mount === undefined ? 'start an upload' : `mount blob ${mount.digest}`,
      {
        ...options,
        ...(mount === undefined
          ? {}
          : { scopes: [this.#scope(repository), { repository: mount.from, actions: ['pull'] }], expect: [401, 403, 404, 405] }),
      },
    );
    response.discard();
    if (mount !== undefined && response.status === 201) return { mounted: true };
    return { mounted: false, session: response.status === 202 ? this.#session(response, 0) : undefined };
  }

  /** Sends the rest of a blob and closes the session; the registry checks the digest. */
  async finishUpload(
    repository: string,
    session: UploadSession,
    digest: Digest,
    options: RequestOptions & { readonly body?: StreamBody | Buffer } = {},
  ): Promise<void> {
    const url = new URL(session.url);
    // Appended, not rebuilt: the session's own query may be signed as it stands.
    url.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${encodeURIComponent(digest)}`;
    const response = await this.#send('PUT', url, `upload blob ${digest}`, {
      ...options,
      scopes: [this.#scope(repository)],
      headers: { 'content-type': 'application/octet-stream' },
      body: options.body ?? Buffer.alloc(0),
    });
    response.discard();
    const stored = header(response, 'docker-content-digest');
    if (stored !== undefined && stored !== digest) {
      throw new TransferError('DigestMismatch', `upload blob ${digest}: ${response.url.host} stored it as ${stored}`, {
        hint: 'This registry does not support the digest algorithm of the blob.',
      });
    }
  }

  /** Sends one chunk that begins at `session.offset`. @throws TransferError `Refused` with status 416 when it begins elsewhere */
  async uploadChunk(repository: string, session: UploadSession, chunk: Buffer, options: RequestOptions = {}): Promise<UploadSession> {
    const end = session.offset + chunk.length;
    const response = await this.#send('PATCH', session.url, `upload bytes ${session.offset}-${end - 1}`, {
      ...options,
      scopes: [this.#scope(repository)],
      headers: { 'content-type': 'application/octet-stream', 'content-range': `${session.offset}-${end - 1}` },
      body: { length: chunk.length, stream: once(chunk) },
    });
    response.discard();
    return this.#session(response, end);
  }

  /** What the registry holds of an upload that was interrupted; undefined when the session is gone. */
  async uploadStatus(repository: string, session: UploadSession, options: RequestOptions = {}): Promise<UploadSession | undefined> {
    const response = await this.#send('GET', session.url, 'look at an upload', {
      ...options,
      scopes: [this.#scope(repository)],
      expect: [404],
    });
    response.discard();
    return response.status === 404 ? undefined : this.#session(response, 0);
  }

  /** Gives a session up; whether the registry minds does not matter. */
  async cancelUpload(repository: string, session: UploadSession, options: RequestOptions = {}): Promise<void> {
    try {
      const response = await this.#send('DELETE', session.url, 'cancel an upload', {
        ...options,
        scopes: [this.#scope(repository)],
        expect: [400, 404, 405, 500],
      });
      response.discard();
    } catch {
      // The registry removes abandoned sessions by itself.
    }
  }

  /** PUT of a manifest under a tag or its digest. Returns whether the registry recorded the manifest's subject. */
  async putManifest(
    repository: string,
    reference: string,
    manifest: Manifest,
    options: RequestOptions = {},
  ): Promise<{ readonly subjectRecorded: boolean }> {
    const operation = `write manifest ${repository}${suffix(reference)}`;
    const response = await this.#repository('PUT', repository, `manifests/${reference}`, operation, {
      ...options,
      headers: { 'content-type': manifest.descriptor.mediaType },
      body: manifest.bytes,
    });
    response.discard();
    const stored = header(response, 'docker-content-digest');
    if (stored !== undefined && isDigest(stored) && algorithmOf(stored) === algorithmOf(manifest.descriptor.digest))
      requireAsked(manifest.descriptor.digest, stored, operation);
    return { subjectRecorded: header(response, 'oci-subject') !== undefined };
  }

  /** Tags in the registry's order, page by page. */
  async *listTags(repository: string, options: RequestOptions = {}): AsyncGenerator<string> {
    const first = new URL(`/v2/${repository}/tags/list?n=1000`, this.transport.origin);
    for await (const page of this.#pages(first, `list tags of ${repository}`, {
      ...options,
      scopes: [this.#scope(repository)],
      expect: [404],
    })) {
      yield* stringsOf(page, 'tags');
    }
  }

  /** Repositories of the registry, where it tells (`_catalog` is not in the specification). */
  async *catalog(options: RequestOptions = {}): AsyncGenerator<string> {
    const first = new URL('/v2/_catalog?n=1000', this.transport.origin);
    for await (const page of this.#pages(first, 'list repositories', { ...options, scopes: [] })) yield* stringsOf(page, 'repositories');
  }

  /** The referrers API; undefined when the registry does not serve it. */
  async listReferrers(repository: string, digest: Digest, options: RequestOptions = {}): Promise<readonly unknown[] | undefined> {
    const first = new URL(`/v2/${repository}/referrers/${digest}`, this.transport.origin);
    const referrers: unknown[] = [];
    const settings = { ...options, scopes: [this.#scope(repository)], expect: [400, 401, 403, 404, 405, 501] };
    for await (const page of this.#pages(first, `list referrers of ${digest}`, settings)) {
      if (page === undefined || !Array.isArray(page['manifests'])) return undefined;
      referrers.push(...(page['manifests'] as unknown[]));
    }
    return referrers;
  }

  async *#pages(
    first: URL,
    operation: string,
    options: Pick<HttpRequest, 'signal' | 'scopes' | 'expect'>,
  ): AsyncGenerator<Readonly<Record<string, unknown>> | undefined> {
    const seen = new Set<string>();
    for (let url: URL | undefined = first; url !== undefined;) {
      if (seen.has(url.href) || seen.size >= 1000)
        throw new TransferError('UnexpectedAnswer', `${operation}: the listing of ${url.host} does not end`);
      seen.add(url.href);
      const response: WireResponse = await this.#send('GET', url, operation, options);
      if (response.status >= 400) {
        response.discard();
        yield undefined;
        return;
      }
      const text = (await readLimited(response, manifestLimit, operation)).toString('utf8');
      let page: Readonly<Record<string, unknown>> | undefined;
      try {
        page = JSON.parse(text) as Readonly<Record<string, unknown>>;
      } catch {
        // A web page where a listing should be: as good as none.
      }
      yield page;
      url = nextPage(url, header(response, 'link'));
    }
  }

  #repository(
    method: HttpRequest['method'],
    repository: string,
    path: string,
    operation: string,
    options: Partial<HttpRequest>,
  ): Promise<WireResponse> {
    return this.#send(method, new URL(`/v2/${repository}/${path}`, this.transport.origin), operation, {
      scopes: [this.#scope(repository)],
      ...options,
    });
  }

  #send(method: HttpRequest['method'], url: URL, operation: string, options: Partial<HttpRequest>): Promise<WireResponse> {
    return this.transport.request({ ...options, method, url, operation });
  }

  #session(response: WireResponse, assumed: number): UploadSession {
    const location = header(response, 'location');
    if (location === undefined) throw new TransferError('UnexpectedAnswer', `${response.url.host} opened an upload without a Location`);
    const range = /^(?:bytes=)?0-(\d+)$/.exec(header(response, 'range') ?? '');
    const said = range === null ? undefined : Number(range[1]) + 1;
    return {
      url: resolveDerivedURL(response.url, location, 'the Location of an upload'),
      // "0-0" is what a session without bytes says, and one with a single byte.
      offset: said === undefined || (said === 1 && assumed !== 1) ? assumed : said,
      chunkMinLength: Number(header(response, 'oci-chunk-min-length') ?? 0) || 0,
    };
  }

  #scope(repository: string): Scope {
    return { repository, actions: this.#actions };
  }
}

function header(response: WireResponse, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function suffix(reference: string): string {
  return isDigest(reference) ? `@${reference}` : `:${reference}`;
}

function requireAsked(reference: string, actual: Digest, operation: string): void {
  if (!isDigest(reference) || reference === actual) return;
  throw new TransferError('DigestMismatch', `${operation}: expected ${reference}, received ${actual}`, {
    hint: 'The registry, or a cache in front of it, serves damaged or substituted content; nothing was taken over.',
  });
}

function stringsOf(page: Readonly<Record<string, unknown>> | undefined, key: string): string[] {
  const list = page?.[key];
  return Array.isArray(list) ? list.filter((entry) => typeof entry === 'string') : [];
}

async function* skip(body: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  let left = count;
  for await (const chunk of body) {
    if (left >= chunk.length) {
      left -= chunk.length;
      continue;
    }
    yield left === 0 ? chunk : chunk.subarray(left);
    left = 0;
  }
}
