import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Answer, ConnectionCut, Exchange } from '../registry/exchange.ts';
import { FaultPlan } from '../registry/faults.ts';
import { type LoggedRequest, RequestLog } from '../registry/request-log.ts';
import { BucketContent } from './bucket-content.ts';
import { type OperationOptions, perform, refuse } from './s3-operations.ts';
import { refusalOf, type S3User } from './signature-check.ts';

export interface S3ServerOptions extends Partial<OperationOptions> {
  /** Buckets that are there from the start; unless told `artifacts`. */
  readonly buckets?: readonly string[];
  /** Who may do everything; unless told everybody may, without a signature. */
  readonly users?: readonly S3User[];
  /** What requests have to be signed for; `us-east-1` unless told. */
  readonly region?: string;
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  readonly now?: () => number;
}

/** An S3 service on loopback that keeps objects in memory, checks signatures, and has faults. Path style. */
export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly url: string;
  readonly host: string;
  readonly faults: FaultPlan;
  readonly requests: RequestLog;
  /** @throws Error for a bucket that is not there */
  bucket(name?: string): BucketContent;
  close(): Promise<void>;
}

export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const { users, region = 'us-east-1', now = Date.now } = options;
  const buckets = new Map((options.buckets ?? ['artifacts']).map((name) => [name, new BucketContent()]));
  const operations: OperationOptions = {
    pageSize: options.pageSize ?? 1000,
    conditions: options.conditions ?? true,
    checksums: options.checksums ?? true,
  };
  const faults = new FaultPlan();
  const requests = new RequestLog();
  let origin = '';

  const answer = (exchange: Exchange, body: Buffer): Answer => {
    const [rawPath = '/', rawQuery = ''] = (exchange.request.url ?? '/').split('?', 2);
    const refusal = users === undefined ? undefined : refusalOf(exchange.request, { rawPath, rawQuery }, { users, region, now: now() });
    if (refusal !== undefined) return refuse(refusal);
    const [, name = '', ...rest] = rawPath.split('/').map(decodeURIComponent);
    const bucket = buckets.get(name);
    if (bucket === undefined) return refuse({ status: 404, code: 'NoSuchBucket', message: 'The specified bucket does not exist' });
    return perform({ bucket, key: rest.join('/'), exchange, body, options: operations });
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const method = request.method ?? 'GET';
    const path = request.url ?? '/';
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const entry: LoggedRequest = { method, path, headers, status: 0, requestBytes: 0, responseBytes: 0 };
    requests.add(entry);
    const fault = faults.take(method, path);
    const exchange = new Exchange(request, response, { origin, entry, fault, bytesPerSecond: undefined });
    if (fault?.kind === 'hold') await fault.until;
    if (fault?.kind === 'status') {
      await exchange.send({ status: fault.status, headers: fault.headers ?? {}, body: Buffer.from(fault.body ?? '') });
    } else if (fault?.kind === 'redirect') {
      await exchange.send({ status: fault.status ?? 307, headers: { location: fault.location } });
    } else {
      const body = await exchange.receiveAll(64 * 1024 * 1024);
      await exchange.send(body === undefined ? { status: 413 } : dated(answer(exchange, body), now()));
    }
  };

  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    request.on('error', () => {});
    response.on('error', () => {});
    serve(request, response).catch((error: unknown) => {
      if (!(error instanceof ConnectionCut)) response.destroy();
    });
  };
  const server = options.tls === undefined ? createHttpServer(handler) : createHttpsServer(options.tls, handler);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  origin = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const bucket = (name = 'artifacts'): BucketContent => {
    const found = buckets.get(name);
    if (found === undefined) throw new Error(`there is no bucket ${name}`);
    return found;
  };
  return { url: origin, host: `127.0.0.1:${port}`, faults, requests, bucket, close, [Symbol.asyncDispose]: close };
}

function dated(answer: Answer, now: number): Answer {
  return { ...answer, headers: { date: new Date(now).toUTCString(), ...answer.headers } };
}
