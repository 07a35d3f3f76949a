import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { ApiStatusError, statusError } from '@arc/apimachinery';
import type { PeerCertificates } from '../authn/client-certificate.ts';

/** What both HTTP versions' responses have in common. */
export interface Outgoing {
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  readonly destroyed: boolean;
  writeHead(code: number, headers: Record<string, string | string[]>): unknown;
  flushHeaders(): void;
  /** @param flushed called when the chunk is no longer needed, or will never be sent. */
  write(chunk: Uint8Array, flushed?: (error?: Error | null) => void): boolean;
  end(chunk?: Uint8Array): unknown;
  on(event: string, listener: () => void): unknown;
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/** One request and the place where its answer goes, the same for HTTP/1.1 and HTTP/2. */
export interface Exchange {
  readonly method: string;
  /** Path without query, as received. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly http2: boolean;
  readonly peer: PeerCertificates;
  readonly remoteAddress: string;
  /** Aborts when the client has gone before the answer was complete. */
  readonly signal: AbortSignal;
  readonly outgoing: Outgoing;
  header(name: string): string | undefined;
  /** Every value of a repeated header, never joined. */
  headerValues(name: string): readonly string[];
  /** Header names as received, lower-case, with their values in order. */
  headerPairs(): readonly (readonly [string, string])[];
  /** @throws ApiStatusError 413 beyond `limit` bytes, 400 when the client breaks off. */
  readBody(limit: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Lets go of a body nobody read, so that it holds up neither the connection nor its flow-control window. */
  discardBody(): void;
  /**
   * Lets an HTTP/2 client make no further requests on its connection: those under way are answered, later ones refused in
   * the way clients repeat on another one. Does nothing over HTTP/1.1.
   */
  goAway(): void;
  /** Ends the exchange without an orderly answer. */
  abort(): void;
}

/** Path and query of a request, as logs and errors name it. */
export function requestUri({ path, query }: Pick<Exchange, 'path' | 'query'>): string {
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

type Incoming = IncomingMessage | Http2ServerRequest;

export function createExchange(
  request: Incoming,
  response: ServerResponse | Http2ServerResponse | Outgoing,
  peer: PeerCertificates,
): Exchange {
  const http2 = 'stream' in request;
  const outgoing = response as unknown as Outgoing;
  const gone = new AbortController();
  outgoing.on('close', () => {
    if (!outgoing.writableEnded || http2) gone.abort();
  });
  // Errors of either half surface as `close`; without listeners they would end the process.
  request.on('error', ignore);
  outgoing.on('error', ignore);

  const [path, query] = splitTarget(request.url ?? '/');
  const pairs = pairsOf(request.rawHeaders);
  const session = 'stream' in request ? request.stream.session : undefined;
  return {
    method: request.method ?? 'GET',
    path,
    query,
    http2,
    peer,
    remoteAddress: socketOf(request).remoteAddress ?? '',
    signal: gone.signal,
    outgoing,
    header: (name) => {
      const value = request.headers[name];
      return value === undefined ? undefined : decoded(Array.isArray(value) ? value.join(', ') : value);
    },
    headerValues: (name) => pairs.filter(([key]) => key === name).map(([, value]) => value),
    headerPairs: () => pairs,
    readBody: (limit, signal) => readBody(request, limit, signal),
    discardBody: () => discardBody(request),
    goAway: () => {
      if (session !== undefined && !session.destroyed) session.close();
    },
    abort: () => {
      if ('stream' in request) request.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      else request.socket.destroy();
    },
  };
}

/** How long a client may go on sending a body nobody wants. */
const unwantedBodyMs = 5_000;

function discardBody(request: Incoming): void {
  // A body nobody has touched is closed by Node once the answer is out.
  if (request.readableEnded || request.readableFlowing === null) return;
  request.resume();
  const timer = setTimeout(() => {
    if (request.readableEnded) return;
    if ('stream' in request) request.stream.close(constants.NGHTTP2_NO_ERROR);
    else request.socket.destroy();
  }, unwantedBodyMs);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
}

export function socketOf(request: Incoming): TLSSocket {
  return request.socket as TLSSocket;
}

function ignore(): void {}

function splitTarget(target: string): [string, URLSearchParams] {
  const origin = target.startsWith('/') ? target : target.replace(/^[a-z]+:\/\/[^/?]*/i, '');
  const mark = origin.indexOf('?');
  return mark < 0 ? [origin, new URLSearchParams()] : [origin.slice(0, mark), new URLSearchParams(origin.slice(mark + 1))];
}

function pairsOf(raw: readonly string[]): readonly (readonly [string, string])[] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([(raw[at] ?? '').toLowerCase(), decoded(raw[at + 1] ?? '')]);
  return pairs;
}

/** Node reads each byte as a character; Kubernetes writes names of users and groups as UTF-8. */
function decoded(value: string): string {
  return /^[\x20-\x7e\t]*$/.test(value) ? value : Buffer.from(value, 'latin1').toString('utf8');
}

function readBody(request: Incoming, limit: number, signal: AbortSignal): Promise<Uint8Array> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limit) return Promise.reject(statusError.entityTooLarge(limit));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) settle(statusError.entityTooLarge(limit));
      else chunks.push(chunk);
    };
    const onEnd = (): void => settle(undefined);
    const onClose = (): void => settle(statusError.badRequest('the request body ended before it was complete'));
    const onAbort = (): void => settle(signal.reason instanceof ApiStatusError ? signal.reason : statusError.timeout());
    const settle = (error: ApiStatusError | undefined): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      if (error === undefined) {
        resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
      } else {
        request.pause();
        reject(error);
      }
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}
