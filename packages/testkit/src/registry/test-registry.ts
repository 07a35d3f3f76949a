import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Access, type RegistryAuth, type Scope } from './access.ts';
import { RegistryContent } from './content.ts';
import { type Answer, ConnectionCut, Exchange } from './exchange.ts';
import { FaultPlan } from './faults.ts';
import { type ContentContext, getBlob, getManifest, listCatalog, listReferrers, listTags, putManifest } from './manifests.ts';
import { blobUnknown, manifestUnknown, OciError } from './oci-error.ts';
import { type LoggedRequest, RequestLog, WriterLog } from './request-log.ts';
import { Uploads } from './uploads.ts';

export interface TestRegistryOptions {
  readonly auth?: RegistryAuth;
  /** Serves https with this certificate and key (PEM), to holders of a certificate of `clientCa` when that is given; http when absent. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer; readonly clientCa?: string };
  /** 0 (the default) takes a free one. */
  readonly port?: number;
  /** Whether the referrers API is served; true unless told. Off, the registry behaves as docker-registry 2.8. */
  readonly referrers?: boolean;
  /** Most entries of one page of a listing; 1000 unless told. */
  readonly pageSize?: number;
  /** Limits each response body, so that progress can be watched. */
  readonly bytesPerSecond?: number;
  readonly chunkMinLength?: number;
  /** Time in milliseconds, for token expiry. */
  readonly now?: () => number;
}

/** An in-memory OCI registry on loopback. Disposing it closes every connection and frees the port. */
export interface TestRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly url: string;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly content: RegistryContent;
  readonly faults: FaultPlan;
  readonly requests: RequestLog;
  readonly writers: WriterLog;
  /** Upload sessions neither finished nor cancelled. */
  readonly openUploads: number;
  readonly tokensIssued: number;
  close(): Promise<void>;
}

/** Starts an OCI distribution server (distribution-spec 1.1) whose whole state is in memory. */
export async function startTestRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const context: ContentContext = {
    content: new RegistryContent(),
    writers: new WriterLog(),
    referrers: options.referrers ?? true,
    pageSize: options.pageSize ?? 1000,
  };
  const access = new Access(options.auth ?? { kind: 'none' }, options.now ?? Date.now);
  const uploads = new Uploads(context.content, context.writers, { chunkMinLength: options.chunkMinLength });
  const faults = new FaultPlan();
  const requests = new RequestLog();
  const scheme = options.tls === undefined ? 'http' : 'https';
  let origin = '';

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const method = request.method ?? 'GET';
    const path = request.url ?? '/';
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const entry: LoggedRequest = { method, path, headers, status: 0, requestBytes: 0, responseBytes: 0 };
    requests.add(entry);
    const fault = faults.take(method, path);
    const exchange = new Exchange(request, response, { origin, entry, fault, bytesPerSecond: options.bytesPerSecond });
    try {
      if (fault?.kind === 'hold') await fault.until;
      if (fault?.kind === 'status') {
        await exchange.send({ status: fault.status, headers: fault.headers ?? {}, body: Buffer.from(fault.body ?? '') });
      } else if (fault?.kind === 'redirect') {
        await exchange.send({ status: fault.status ?? 307, headers: { location: fault.location } });
      } else {
        await exchange.send(await route({ ...context, access, uploads, origin }, exchange));
      }
    } catch (error) {
      if (error instanceof ConnectionCut) return;
      if (error instanceof OciError) {
        await exchange.send({
          status: error.status,
          headers: { 'content-type': 'application/json', ...error.headers },
          body: error.body(),
        });
      } else {
        response.destroy();
      }
    }
  };

  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    request.on('error', () => {});
    response.on('error', () => {});
    void serve(request, response).catch(() => response.destroy());
  };
  const server = options.tls === undefined ? createHttpServer(handler) : createHttpsServer(tlsOptions(options.tls), handler);
  server.requestTimeout = 0;
  const port = await listen(server, options.port ?? 0);
  origin = `${scheme}://127.0.0.1:${port}`;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    url: origin,
    host: `127.0.0.1:${port}`,
    content: context.content,
    writers: context.writers,
    faults,
    requests,
    get openUploads() {
      return uploads.open;
    },
    get tokensIssued() {
      return access.tokensIssued;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface RouteContext extends ContentContext {
  readonly access: Access;
  readonly uploads: Uploads;
  readonly origin: string;
}

const namePattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

async function route(context: RouteContext, exchange: Exchange): Promise<Answer> {
  const { method, url } = exchange;
  const path = decodeURIComponent(url.pathname);
  if (path === '/token') {
    const form = method === 'POST' ? new URLSearchParams(String(await exchange.receiveAll(65_536))) : new URLSearchParams();
    const body = context.access.issue(exchange.request, url.searchParams, form);
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
  const permit = (...scopes: Scope[]): void => context.access.require(exchange.request, context.origin, scopes);
  if (path === '/v2/' || path === '/v2') {
    permit();
    return {
      status: 200,
      headers: { 'content-type': 'application/json', 'docker-distribution-api-version': 'registry/2.0' },
      body: Buffer.from('{}'),
    };
  }
  if (path === '/v2/_catalog') {
    permit();
    return listCatalog(context, exchange);
  }
  const match = /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/([^/]*)$/.exec(path);
  const [, repository = '', resource = '', last = ''] = match ?? [];
  if (match === null || !namePattern.test(repository)) throw new OciError(404, 'NAME_UNKNOWN', `no such path: ${path}`);
  const from = url.searchParams.get('from');
  const wanted: Scope = { repository, actions: actionsOf(method) };
  permit(wanted, ...(resource === 'blobs/uploads' && from !== null ? [{ repository: from, actions: ['pull'] }] : []));
  switch (`${method} ${resource}`) {
    case 'HEAD blobs':
    case 'GET blobs':
      return getBlob(context, exchange, repository, last);
    case 'DELETE blobs':
      if (!context.content.deleteBlob(repository, last)) throw blobUnknown(last);
      return { status: 202 };
    case 'POST blobs/uploads':
      return context.uploads.start(exchange, repository);
    case 'GET blobs/uploads':
      return context.uploads.status(repository, last);
    case 'PATCH blobs/uploads':
      return context.uploads.append(exchange, repository, last);
    case 'PUT blobs/uploads':
      return context.uploads.finish(exchange, repository, last);
    case 'DELETE blobs/uploads':
      return context.uploads.cancel(repository, last);
    case 'HEAD manifests':
    case 'GET manifests':
      return getManifest(context, exchange, repository, last);
    case 'PUT manifests':
      return putManifest(context, exchange, repository, last);
    case 'DELETE manifests':
      if (!context.content.deleteManifest(repository, last)) throw manifestUnknown(last);
      return { status: 202 };
    case 'GET tags':
      return listTags(context, exchange, repository);
    case 'GET referrers':
      return listReferrers(context, exchange, repository, last);
    default:
      throw new OciError(405, 'UNSUPPORTED', `${method} is not supported here`);
  }
}

function actionsOf(method: string): string[] {
  if (method === 'GET' || method === 'HEAD') return ['pull'];
  return method === 'DELETE' ? ['delete'] : ['pull', 'push'];
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function tlsOptions({ clientCa, ...identity }: NonNullable<TestRegistryOptions['tls']>): ServerOptions {
  return { ...identity, ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }) };
}
