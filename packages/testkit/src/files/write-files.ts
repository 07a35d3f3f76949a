import { randomUUID } from 'node:crypto';
import type { Answer, Exchange } from '../registry/exchange.ts';

export interface WriteOptions {
  /** `webdav` wants collections made first and moves files; `put` takes any path. */
  readonly kind: 'put' | 'webdav';
  /** Whether `If-Match` and `If-None-Match` are obeyed. */
  readonly conditions: boolean;
  /** WebDAV, class 2. */
  readonly locks: boolean;
}

/** What a server that is written to keeps besides its files. */
export interface WriteState {
  /** The collections of WebDAV, with a slash at the end. */
  readonly collections: Set<string>;
  /** Tokens of locks by path. */
  readonly locks: Map<string, string>;
}

/** Answers PUT, DELETE, OPTIONS, MKCOL, MOVE, LOCK and UNLOCK (RFC 9110, RFC 4918); undefined for other methods. */
export function writeFiles(
  files: Map<string, Buffer>,
  { collections, locks }: WriteState,
  exchange: Exchange,
  { body, etag, options }: { readonly body: Buffer; readonly etag: (content: Buffer) => string; readonly options: WriteOptions },
): Answer | undefined {
  const { method, request } = exchange;
  const path = decodeURIComponent(exchange.url.pathname);
  const isDav = options.kind === 'webdav';
  if (method === 'OPTIONS') {
    return isDav
      ? { status: 200, headers: { dav: options.locks ? '1, 2' : '1', allow: 'OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, MOVE' } }
      : { status: 200, headers: { allow: 'GET, HEAD, PUT, DELETE' } };
  }
  const present = files.get(path);
  const held = (target: string): boolean => locks.has(target) && !String(request.headers['if']).includes(String(locks.get(target)));
  if (options.locks && method === 'LOCK') {
    if (locks.has(path)) return { status: 423 };
    const token = `<opaquelocktoken:${randomUUID()}>`;
    locks.set(path, token);
    if (present === undefined) files.set(path, Buffer.alloc(0));
    return { status: present === undefined ? 201 : 200, headers: { 'lock-token': token } };
  }
  if (options.locks && method === 'UNLOCK') {
    if (locks.get(path) !== request.headers['lock-token']) return { status: 409 };
    locks.delete(path);
    return { status: 204 };
  }
  if (method === 'PUT' && held(path)) return { status: 423 };
  if (method === 'PUT') {
    if (isDav && !collections.has(parentOf(path))) return { status: 409 };
    const { 'if-match': match, 'if-none-match': none } = request.headers;
    const fails = (match !== undefined && (present === undefined || match !== etag(present))) || (none === '*' && present !== undefined);
    if (options.conditions && fails) return { status: 412 };
    files.set(path, body);
    return { status: present === undefined ? 201 : 204 };
  }
  if (method === 'DELETE') return { status: files.delete(path) ? 204 : 404 };
  if (!isDav) return undefined;
  if (method === 'MKCOL') {
    const folder = path.endsWith('/') ? path : `${path}/`;
    if (collections.has(folder)) return { status: 405 };
    if (!collections.has(parentOf(folder))) return { status: 409 };
    collections.add(folder);
    return { status: 201 };
  }
  if (method !== 'MOVE') return undefined;
  const target = decodeURIComponent(new URL(String(request.headers['destination']), exchange.url).pathname);
  if (present === undefined) return { status: 404 };
  if (!collections.has(parentOf(target))) return { status: 409 };
  if (held(target)) return { status: 423 };
  if (files.has(target) && request.headers['overwrite'] === 'F') return { status: 412 };
  files.set(target, present);
  files.delete(path);
  return { status: 201 };
}

function parentOf(path: string): string {
  return path.slice(0, path.replace(/\/$/, '').lastIndexOf('/') + 1);
}
