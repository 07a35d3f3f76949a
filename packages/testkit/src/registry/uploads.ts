import { randomUUID } from 'node:crypto';
import { digestOf, type RegistryContent } from './content.ts';
import type { Answer, Exchange } from './exchange.ts';
import { OciError } from './oci-error.ts';
import type { WriterLog } from './request-log.ts';

interface Session {
  readonly repository: string;
  readonly chunks: Buffer[];
  size: number;
}

export interface UploadLimits {
  /** Advertised as `OCI-Chunk-Min-Length` when set. */
  readonly chunkMinLength: number | undefined;
}

/** Blob upload sessions: single PUT, chunks, mount, status after a broken connection, cancel. */
export class Uploads {
  readonly #content: RegistryContent;
  readonly #writers: WriterLog;
  readonly #limits: UploadLimits;
  readonly #sessions = new Map<string, Session>();

  constructor(content: RegistryContent, writers: WriterLog, limits: UploadLimits) {
    this.#content = content;
    this.#writers = writers;
    this.#limits = limits;
  }

  /** Sessions neither finished nor cancelled. */
  get open(): number {
    return this.#sessions.size;
  }

  start(exchange: Exchange, repository: string): Answer {
    const mount = exchange.url.searchParams.get('mount');
    const from = exchange.url.searchParams.get('from');
    if (mount !== null && from !== null && this.#content.mountBlob(repository, mount, from)) {
      using _write = this.#writers.begin(repository, exchange.writer);
      return created(repository, mount);
    }
    const id = randomUUID();
    this.#sessions.set(id, { repository, chunks: [], size: 0 });
    return this.#accepted(202, id, repository, 0);
  }

  status(repository: string, id: string): Answer {
    const session = this.#find(repository, id);
    return this.#accepted(204, id, repository, session.size);
  }

  cancel(repository: string, id: string): Answer {
    this.#find(repository, id);
    this.#sessions.delete(id);
    return { status: 204 };
  }

  /** Takes one chunk; its `Content-Range`, when sent, must begin where the session ends. */
  async append(exchange: Exchange, repository: string, id: string): Promise<Answer> {
    const session = this.#find(repository, id);
    this.#requireOrder(exchange, repository, id, session);
    using _write = this.#writers.begin(repository, exchange.writer, `session:${id}`);
    await exchange.receive((chunk) => this.#take(session, chunk));
    return this.#accepted(202, id, repository, session.size);
  }

  /** Takes the rest of the body and stores the blob if it has the digest it was announced with. */
  async finish(exchange: Exchange, repository: string, id: string): Promise<Answer> {
    const session = this.#find(repository, id);
    const digest = exchange.url.searchParams.get('digest') ?? '';
    const algorithm = /^(sha256):[0-9a-f]{64}$|^(sha512):[0-9a-f]{128}$/.exec(digest);
    if (algorithm === null) throw new OciError(400, 'DIGEST_INVALID', `not a digest: ${digest}`);
    this.#requireOrder(exchange, repository, id, session);
    using _write = this.#writers.begin(repository, exchange.writer, digest);
    await exchange.receive((chunk) => this.#take(session, chunk));
    this.#sessions.delete(id);
    const bytes = Buffer.concat(session.chunks);
    const actual = digestOf(bytes, algorithm[1] === undefined ? 'sha512' : 'sha256');
    if (actual !== digest) throw new OciError(400, 'DIGEST_INVALID', `received ${actual}, announced as ${digest}`);
    this.#content.putBlob(repository, bytes, algorithm[1] === undefined ? 'sha512' : 'sha256');
    return created(repository, digest);
  }

  #take(session: Session, chunk: Buffer): void {
    session.chunks.push(chunk);
    session.size += chunk.length;
  }

  #find(repository: string, id: string): Session {
    const session = this.#sessions.get(id);
    if (session === undefined || session.repository !== repository) throw new OciError(404, 'BLOB_UPLOAD_UNKNOWN', `no upload ${id}`);
    return session;
  }

  #requireOrder(exchange: Exchange, repository: string, id: string, session: Session): void {
    const range = exchange.request.headers['content-range'];
    if (range === undefined) return;
    const match = /^(\d+)-(\d+)$/.exec(range);
    if (match === null) throw new OciError(400, 'SIZE_INVALID', `Content-Range is written start-end, not ${range}`);
    if (Number(match[1]) === session.size) return;
    const { headers } = this.#accepted(416, id, repository, session.size);
    throw new OciError(416, 'BLOB_UPLOAD_INVALID', `expected a chunk beginning at ${session.size}`, headers);
  }

  #accepted(status: number, id: string, repository: string, size: number): Answer & { headers: Record<string, string> } {
    return {
      status,
      headers: {
        location: `/v2/${repository}/blobs/uploads/${id}?_state=${size.toString(36)}`,
        range: `0-${Math.max(0, size - 1)}`,
        'docker-upload-uuid': id,
        ...(this.#limits.chunkMinLength === undefined ? {} : { 'oci-chunk-min-length': String(this.#limits.chunkMinLength) }),
      },
    };
  }
}

function created(repository: string, digest: string): Answer {
  return { status: 201, headers: { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest } };
}
