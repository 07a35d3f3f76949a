import { createHash } from 'node:crypto';
import type { Answer, Exchange } from '../registry/exchange.ts';
import { type FaultyServer, startFaultyServer } from '../registry/faulty-server.ts';
import { writeFiles, type WriteState } from './write-files.ts';

export interface FileServerOptions {
  /** Contents by path, with a leading slash; more can be set later. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** What a request has to bring; `hidden` answers 404 instead of a challenge to those who do not. */
  readonly auth?:
    | { readonly kind: 'basic'; readonly username: string; readonly password: string; readonly hidden?: boolean }
    | { readonly kind: 'bearer'; readonly token: string; readonly hidden?: boolean };
  /** Serves https with this certificate and key (PEM); http when absent. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  /** Whether ranges are honoured; true unless told. */
  readonly ranges?: boolean;
  /** Whether answers carry a strong ETag; true unless told. */
  readonly etags?: boolean;
  /** How it takes files; it takes none unless told. */
  readonly writable?: 'put' | 'webdav';
  /** Whether conditions of writes are obeyed; true unless told. */
  readonly conditions?: boolean;
  /** Whether it is WebDAV of class 2, with locks; false unless told. */
  readonly locks?: boolean;
  /** 0 (the default) takes a free one. */
  readonly port?: number;
}

/** A static web server on loopback, with ranges and faults. Disposing it closes every connection and frees the port. */
export interface FileServer extends FaultyServer {
  readonly files: Map<string, Buffer>;
}

export async function startFileServer(options: FileServerOptions = {}): Promise<FileServer> {
  const files = new Map(Object.entries(options.files ?? {}).map(([path, content]) => [path, Buffer.from(content)]));
  const state: WriteState = { collections: new Set(['/']), locks: new Map() };
  const { tls, port } = options;
  const server = await startFaultyServer((exchange) => answer(files, state, options, exchange), { tls, port, redirectStatus: 302 });
  return { ...server, files };
}

async function answer(files: Map<string, Buffer>, state: WriteState, options: FileServerOptions, exchange: Exchange): Promise<Answer> {
  const { auth, writable, conditions = true, locks = false } = options;
  if (auth !== undefined && exchange.request.headers.authorization !== expectedHeader(auth)) {
    if (auth.hidden === true) return { status: 404 };
    return { status: 401, headers: { 'www-authenticate': `${auth.kind === 'basic' ? 'Basic' : 'Bearer'} realm="files"` } };
  }
  if (writable !== undefined && exchange.method !== 'GET' && exchange.method !== 'HEAD') {
    const body = await exchange.receiveAll(64 * 1024 * 1024);
    const written =
      body === undefined
        ? { status: 413 }
        : writeFiles(files, state, exchange, { body, etag: etagOf, options: { kind: writable, conditions, locks } });
    if (written !== undefined) return written;
  }
  const content = files.get(decoded(exchange.url.pathname));
  if (content === undefined) return { status: 404, headers: { 'content-type': 'text/plain' }, body: Buffer.from('not found\n') };
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') return { status: 405 };
  const etag = etagOf(content);
  const headers = {
    'content-type': 'application/octet-stream',
    ...(options.ranges === false ? {} : { 'accept-ranges': 'bytes' }),
    ...(options.etags === false ? {} : { etag }),
  };
  const range = options.ranges === false ? null : /^bytes=(\d+)-(\d*)$/.exec(exchange.request.headers.range ?? '');
  const condition = exchange.request.headers['if-range'];
  if (range === null || (condition !== undefined && condition !== etag)) return { status: 200, headers, body: content };
  const start = Number(range[1]);
  const end = range[2] === '' ? content.length - 1 : Math.min(Number(range[2]), content.length - 1);
  if (start > end) return { status: 416, headers: { ...headers, 'content-range': `bytes */${content.length}` } };
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end}/${content.length}` },
    body: content.subarray(start, end + 1),
  };
}

function etagOf(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function expectedHeader(auth: NonNullable<FileServerOptions['auth']>): string {
  if (auth.kind === 'bearer') return `Bearer ${auth.token}`;
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
}
