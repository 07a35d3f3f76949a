import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { TransferError } from '../transfer-error.ts';
import { proxyAuthorization } from './proxy.ts';

/**
 * Makes an agent reach its hosts through a proxy: a CONNECT that carries the proxy's own credentials and nothing of the request,
 * then TLS with the host inside of it. The proxy sees host and port.
 */
export function tunnelThrough(agent: HttpsAgent, proxy: URL, timeoutMs: number): HttpsAgent {
  const tls = process.getBuiltinModule('node:tls');
  agent.createConnection = (options, callback) => {
    const { host = '', port } = options as { host?: string; port?: number | string };
    const isLiteral = host.includes(':');
    openTunnel(`${isLiteral ? `[${host}]` : host}:${port ?? 443}`, proxy, timeoutMs, (outcome) => {
      if (outcome instanceof Error) {
        callback?.(outcome, undefined as never);
        return;
      }
      const servername = isLiteral ? {} : { servername: servernameOf(options, host) };
      callback?.(null, tls.connect({ ...options, ...servername, socket: outcome } as ConnectionOptions));
    });
    return undefined;
  };
  return agent;
}

function servernameOf(options: object, host: string): string {
  return 'servername' in options && typeof options.servername === 'string' && options.servername !== '' ? options.servername : host;
}

/** Calls `done` once, with a connection to `authority` or with what went wrong. */
function openTunnel(authority: string, proxy: URL, timeoutMs: number, done: (outcome: Duplex | Error) => void): void {
  const authorization = proxyAuthorization(proxy);
  const request = connectRequest(proxy, authority, {
    host: authority,
    ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
  });
  let isOver = false;
  const end = (outcome: Duplex | Error): void => {
    if (isOver) return;
    isOver = true;
    request.setTimeout(0);
    done(outcome);
  };
  request.setTimeout(timeoutMs, () => request.destroy(proxyFailure(proxy, `does not answer for ${Math.round(timeoutMs / 1000)} s`)));
  request.on('connect', (answer: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (answer.statusCode === 200 && head.length === 0) return end(socket);
    socket.destroy();
    end(refusal(proxy, authority, answer.statusCode ?? 0));
  });
  request.on('response', (answer: IncomingMessage) => {
    answer.destroy();
    end(refusal(proxy, authority, answer.statusCode ?? 0));
  });
  request.on('error', (error) => end(error instanceof TransferError ? error : proxyFailure(proxy, 'cannot be reached', error)));
  request.end();
}

function connectRequest(proxy: URL, path: string, headers: Readonly<Record<string, string>>): ClientRequest {
  const options = { method: 'CONNECT', path, headers, agent: false } as const;
  const bare = new URL(proxy.origin);
  const http = process.getBuiltinModule('node:http');
  return proxy.protocol === 'https:' ? process.getBuiltinModule('node:https').request(bare, options) : http.request(bare, options);
}

/** What a proxy answered instead of passing a request on. */
export function refusal(proxy: URL, authority: string, status: number): TransferError {
  const problem = status === 407 ? 'wants other credentials' : `does not connect to ${authority} (status ${status})`;
  return new TransferError('ConnectionFailed', `the proxy ${proxy.host} ${problem}`, {
    status,
    retryable: status >= 500,
    hint:
      status === 407
        ? 'Write its user and password into HTTPS_PROXY: http://user:password@host:port.'
        : 'Ask its administrator to allow the host, or list the host in NO_PROXY.',
  });
}

function proxyFailure(proxy: URL, problem: string, cause?: Error): TransferError {
  return new TransferError('ConnectionFailed', `the proxy ${proxy.host} ${problem}`, {
    retryable: true,
    hint: 'Check HTTPS_PROXY, and list hosts that are reached without it in NO_PROXY.',
    ...(cause === undefined ? {} : { cause }),
  });
}
