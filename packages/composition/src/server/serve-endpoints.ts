import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsSource } from '@arc/apiserver';
import { ArcError, codeOf, http, messageOf } from '@arc/kernel';
import type { Logger } from '@arc/kernel';
import type { ListenAddress } from './listen-address.ts';
import type { Access } from './reviewed-access.ts';

/** One thing a program needs in order to be well. */
export interface Probe {
  readonly name: string;
  /** What is wrong and what to do, for whoever operates the program; undefined when all is well. Holds no secret. */
  readonly problem: () => string | undefined;
}

export interface EndpointsOptions {
  readonly listen: ListenAddress;
  /** Absent: plain HTTP. */
  readonly tls?: TlsSource;
  /**
   * Answered at `/readyz`, and by name below it. `/healthz` and `/livez` say only that the process answers: what is missing elsewhere
   * is not mended by starting it again.
   */
  readonly probes?: readonly Probe[];
  /** Answered at `/metrics`. */
  readonly metrics?: () => string;
  /** Who may read metrics; default: everybody. */
  readonly access?: (authorization: string | undefined, path: string, signal: AbortSignal) => Promise<Access>;
  readonly logger: Logger;
}

/** Disposing ends it at once: what is answered here is short. */
export interface Endpoints extends AsyncDisposable {
  readonly port: number;
}

const reviewTimeoutMs = 5_000;

/**
 * Serves what whoever operates a program asks it: whether it is well, and its metrics, in the words of Kubernetes' components.
 *
 * @throws ArcError `AddressInUse`, `ListenFailed`
 */
export async function serveEndpoints(options: EndpointsOptions): Promise<Endpoints> {
  const { listen, tls, logger } = options;
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, options)
      .catch((error: unknown): Answer => {
        logger.warn('a request for health or metrics failed', { error: messageOf(error) });
        return { code: 500, text: 'internal error\n' };
      })
      .then(
        ({ code, text, type = 'text/plain; charset=utf-8' }) => {
          response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
          response.end(request.method === 'HEAD' ? undefined : text);
        },
        () => response.destroy(),
      );
  };
  const server =
    tls === undefined ? http.createServer(onRequest) : createHttpsServer({ ...contextOf(tls), minVersion: 'TLSv1.2' }, onRequest);
  const following = tls?.onChange(() => 'setSecureContext' in server && server.setSecureContext(contextOf(tls)));
  try {
    server.listen(listen.port, listen.host);
    await once(server, 'listening');
  } catch (error) {
    following?.[Symbol.dispose]();
    throw listenError(error, listen);
  }
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      following?.[Symbol.dispose]();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface Answer {
  readonly code: number;
  readonly text: string;
  readonly type?: string;
}

async function answer(request: IncomingMessage, { probes, metrics, access }: EndpointsOptions): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://endpoints');
  if (request.method !== 'GET' && request.method !== 'HEAD') return { code: 405, text: 'method not allowed\n' };
  const [, endpoint = '', only = ''] = pathname.split('/');
  if (probes !== undefined && (pathname === '/livez' || pathname === '/healthz')) return { code: 200, text: 'ok' };
  if (probes !== undefined && endpoint === 'readyz') {
    const asked = only === '' ? probes : probes.filter(({ name }) => name === only);
    if (only !== '' && asked.length === 0) return { code: 404, text: '404 page not found\n' };
    return readiness(asked, searchParams.has('verbose'));
  }
  if (pathname === '/metrics' && metrics !== undefined) {
    const answered = await access?.(request.headers.authorization, pathname, AbortSignal.timeout(reviewTimeoutMs));
    if (answered === 'unauthenticated') return { code: 401, text: 'Unauthorized\n' };
    if (answered === 'denied') return { code: 403, text: 'Forbidden\n' };
    return { code: 200, text: metrics(), type: 'text/plain; version=0.0.4; charset=utf-8' };
  }
  return { code: 404, text: '404 page not found\n' };
}

function readiness(probes: readonly Probe[], verbose: boolean): Answer {
  const lines = probes.map(({ name, problem }) => {
    const found = problem();
    return { failed: found !== undefined, text: found === undefined ? `[+]${name} ok` : `[-]${name} failed: ${found}` };
  });
  const failed = lines.some((line) => line.failed);
  const report = `${lines.map(({ text }) => text).join('\n')}\nreadyz check ${failed ? 'failed' : 'passed'}\n`;
  return failed ? { code: 500, text: report } : { code: 200, text: verbose ? report : 'ok' };
}

function contextOf(tls: TlsSource): { readonly cert: string; readonly key: string } {
  const { cert, key } = tls.current();
  return { cert, key };
}

function listenError(error: unknown, { host, port }: ListenAddress): ArcError {
  if (codeOf(error) === 'EADDRINUSE') {
    return new ArcError('AddressInUse', `${host}:${port} is in use by another process`, {
      hint: 'Choose another address, or port 0 for a free one.',
      cause: error,
    });
  }
  return new ArcError('ListenFailed', `cannot listen on ${host}:${port}: ${messageOf(error)}`, {
    hint: 'Check that the address belongs to this machine and that the port may be used.',
    cause: error,
  });
}
