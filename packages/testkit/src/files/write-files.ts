import type { Answer, Exchange } from '../registry/exchange.ts';

export interface WriteOptions {
  /** `webdav` wants collections made first and moves files; `put` takes any path. */
  readonly kind: 'put' | 'webdav';
  /** Whether `If-Match` and `If-None-Match` are obeyed. */
  readonly conditions: boolean;
}

/** What a server that is written to keeps besides its files: the collections of WebDAV, with a slash at the end. */
export type Collections = Set<string>;

/** Answers PUT, DELETE, OPTIONS, MKCOL and MOVE (RFC 9110, RFC 4918); undefined for other methods. */
export function writeFiles(
  files: Map<string, Buffer>,
  collections: Collections,
  exchange: Exchange,
  { body, etag, options }: { readonly body: Buffer; readonly etag: (content: Buffer) => string; readonly options: WriteOptions },
): Answer | undefined {
  const { method, request } = exchange;
  const path = decodeURIComponent(exchange.url.pathname);
  const isDav = options.kind === 'webdav';
  if (method === 'OPTIONS') {
    return isDav
      ? { status: 200, headers: { dav: '1', allow: 'OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, MOVE' } }
      : { status: 200, headers: { allow: 'GET, HEAD, PUT, DELETE' } };
  }
  const present = files.get(path);
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
  if (files.has(target) && request.headers['overwrite'] === 'F') return { status: 412 };
  files.set(target, present);
  files.delete(path);
  return { status: 201 };
}

function parentOf(path: string): string {
  return path.slice(0, path.replace(/\/$/, '').lastIndexOf('/') + 1);
}
