import { constants as cryptoConstants } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ArcError, codeOf, type Logger, messageOf } from '@arc/kernel';
import { type PeerCertificates, peerCertificateReader } from '../authn/client-certificate.ts';
import type { TlsOptions, TlsSource } from '../tls/tls-options.ts';
import { createExchange, type Exchange, socketOf } from './exchange.ts';
import { asksForWebSocket } from './websocket/handshake.ts';
import { webSocketOutgoing } from './websocket/websocket-outgoing.ts';

/** Open streams one HTTP/2 session may have; clients open further connections beyond it (A9). */
const maxConcurrentStreams = 1_000;

/**
 * What Go servers take, too. Behind an aggregator each group of a user is a header of its own, and Node's 16 KB are those of a few
 * hundred. Over HTTP/2 its library ends at 9 frames, which is 144 KB as they are sent.
 */
const maxHeaderBytes = 1024 * 1024;

/**
 * Node's defaults suit a public web server: 10 MB of unsent data or 1,000 cancelled streams end the whole session. Behind
 * an aggregator one session carries all users, and cancelling is what every watch does. The cap is the number of streams.
 */
const http2Limits = {
  maxSessionMemory: 1_000,
  streamResetBurst: 100_000,
  streamResetRate: 10_000,
  maxSessionRejectedStreams: 10_000,
  maxSessionInvalidFrames: 1_000,
  maxHeaderListPairs: 8_192,
  settings: { maxConcurrentStreams, initialWindowSize: 256 * 1024, maxHeaderListSize: maxHeaderBytes },
} as const;

/** Longer than the 90 s after which Go clients drop an idle connection, so that the client always closes first (A9). */
const keepAliveTimeoutMs = 100_000;
const tcpKeepAliveMs = 30_000;

export interface ListenerOptions {
  readonly tls: TlsSource;
  readonly logger: Logger;
  readonly handle: (exchange: Exchange) => void;
}

export interface Listener {
  /** @throws ArcError `AddressInUse` or `ListenFailed`. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ host: string; port: number }>;
  /** Accepts no more connections, tells clients to go away, lets idle connections end. */
  drain(): void;
  /** Ends whatever is still open. */
  destroy(): Promise<void>;
}

export function createListener({ tls, logger, handle }: ListenerOptions): Listener {
  const peers = peerCache();
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  let draining = false;

  const onRequest = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void => {
    try {
      if (draining && !('stream' in request)) response.setHeader('connection', 'close');
      handle(createExchange(request, response, peers(request)));
    } catch (error) {
      // The connection may have gone between its last byte and now.
      logger.debug('a request could not be taken', { error: messageOf(error) });
      response.destroy();
    }
  };
  const server = createSecureServer(
    {
      ...contextOf(tls.current()),
      allowHTTP1: true,
      requestCert: true,
      // Verified by us, per pool of authorities: a bad certificate is answered with 401, not with a broken handshake.
      rejectUnauthorized: false,
      ...http2Limits,
      ...({ keepAliveTimeout: keepAliveTimeoutMs, maxHeaderSize: maxHeaderBytes } as object),
    },
    onRequest,
  );
  // Others that ask for an upgrade, and there are clients that ask for HTTP/2 in this way, are answered without one.
  Object.assign(server, { shouldUpgradeCallback: asksForWatch });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    handle(createExchange(request, webSocketOutgoing(request, socket, head), peers(request)));
  });
  const reloading = tls.onChange((next) => {
    try {
      server.setSecureContext(contextOf(next));
    } catch (error) {
      logger.error('the new serving certificate cannot be used, the one before stays in force', { error: messageOf(error) });
    }
  });
  server.on('close', () => reloading[Symbol.dispose]());

  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', (error) => logger.debug('connection failed', { error: messageOf(error) }));
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.setKeepAlive(true, tcpKeepAliveMs);
    socket.setNoDelay(true);
    socket.on('error', (error) => logger.debug('TLS connection failed', { error: messageOf(error) }));
  });
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', (error) => logger.debug('HTTP/2 session failed', { error: messageOf(error) }));
  });
  server.on('sessionError', (error) => logger.debug('HTTP/2 session failed', { error: messageOf(error) }));
  server.on('tlsClientError', (error) => logger.debug('TLS handshake failed', { error: messageOf(error) }));
  server.on('clientError', (error: Error, socket: Socket) => {
    logger.debug('malformed HTTP request', { error: messageOf(error) });
    const status = clientErrors.get(codeOf(error) ?? '') ?? '400 Bad Request';
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  });

  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        const onError = (error: Error): void => reject(listenError(error, host, port));
        server.once('error', onError);
        server.listen(port, host, () => {
          server.off('error', onError);
          server.on('error', (error) => logger.error('listener failed', { error: messageOf(error) }));
          const address = server.address() as AddressInfo;
          resolve({ host: address.address, port: address.port });
        });
      }),
    drain: () => {
      draining = true;
      server.close();
      for (const session of sessions) session.close();
    },
    destroy: async () => {
      const closed = sockets.size === 0 ? undefined : new Promise<void>((resolve) => server.once('close', resolve));
      if (!draining) server.close();
      draining = true;
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      if (server.listening) await closed;
    },
  };
}

const clientErrors: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);

function asksForWatch({ method, url = '', headers }: IncomingMessage): boolean {
  return method === 'GET' && /[?&]watch=/.test(url) && asksForWebSocket(headers);
}

/** What decides about new connections. */
function contextOf({ cert, key, clientCa }: TlsOptions) {
  return {
    cert,
    key,
    // An empty list names no authorities to clients; left out, Node would load those of the web.
    ca: clientCa ?? [],
    minVersion: 'TLSv1.2',
    // A resumed session would carry only the leaf of the client's chain.
    secureOptions: cryptoConstants.SSL_OP_NO_TICKET,
  } as const;
}

/** Reads what the peer of each connection presented once. */
function peerCache(): (request: IncomingMessage | Http2ServerRequest) => PeerCertificates {
  const read = peerCertificateReader();
  const known = new WeakMap<Http2Session | Socket, PeerCertificates>();
  return (request) => {
    const connection = 'stream' in request ? request.stream.session : request.socket;
    const cached = connection === undefined ? undefined : known.get(connection);
    if (cached !== undefined) return cached;
    const peer = read(socketOf(request));
    if (connection !== undefined) known.set(connection, peer);
    return peer;
  };
}

function listenError(error: Error, host: string, port: number): ArcError {
  if (codeOf(error) === 'EADDRINUSE') {
    return new ArcError('AddressInUse', `${host}:${port} is in use by another process`, {
      hint: 'Choose another address, or port 0 for a free one.',
      cause: error,
    });
  }
  return new ArcError('ListenFailed', `cannot listen on ${host}:${port}: ${error.message}`, {
    hint: 'Check that the address belongs to this machine and that the port may be used.',
    cause: error,
  });
}
