import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Answer, ConnectionCut, Exchange } from './exchange.ts';
import { FaultPlan } from './faults.ts';
import { type LoggedRequest, RequestLog } from './request-log.ts';

interface FaultyServerOptions {
  /** Serves https with this certificate and key (PEM); http when absent. */
  readonly tls?: ServerOptions | undefined;
  /** 0 (the default) takes a free one. */
  readonly port?: number | undefined;
  /** What a fault that redirects answers when it does not say; 307 unless told. */
  readonly redirectStatus?: number;
  readonly bytesPerSecond?: number | undefined;
}

/** A server on loopback that logs its requests and spoils those for which a fault is planned. Disposing it closes every connection. */
export interface FaultyServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly url: string;
  readonly host: string;
  readonly faults: FaultPlan;
  readonly requests: RequestLog;
  close(): Promise<void>;
}

/** `answer` is asked for requests that no fault answers; when it throws, the connection is cut. */
export async function startFaultyServer(
  answer: (exchange: Exchange, origin: string) => Promise<Answer>,
  options: FaultyServerOptions = {},
): Promise<FaultyServer> {
  const { tls, port: wanted = 0, redirectStatus = 307, bytesPerSecond } = options;
  const faults = new FaultPlan();
  const requests = new RequestLog();
  let origin = '';

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const method = request.method ?? 'GET';
    const path = request.url ?? '/';
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const entry: LoggedRequest = { method, path, headers, status: 0, requestBytes: 0, responseBytes: 0 };
    requests.add(entry);
    const fault = faults.take(method, path);
    const exchange = new Exchange(request, response, { origin, entry, fault, bytesPerSecond });
    if (fault?.kind === 'hold') await fault.until;
    if (fault?.kind === 'status') {
      await exchange.send({ status: fault.status, headers: fault.headers ?? {}, body: Buffer.from(fault.body ?? '') });
    } else if (fault?.kind === 'redirect') {
      await exchange.send({ status: fault.status ?? redirectStatus, headers: { location: fault.location } });
    } else {
      await exchange.send(await answer(exchange, origin));
    }
  };

  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    request.on('error', () => {});
    response.on('error', () => {});
    serve(request, response).catch((error: unknown) => {
      if (!(error instanceof ConnectionCut)) response.destroy();
    });
  };
  const server = tls === undefined ? createHttpServer(handler) : createHttpsServer(tls, handler);
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  origin = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: origin, host: `127.0.0.1:${port}`, faults, requests, close, [Symbol.asyncDispose]: close };
}
