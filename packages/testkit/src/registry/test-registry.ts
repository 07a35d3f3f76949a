import type { ServerOptions } from 'node:https';
import { Access, type RegistryAuth, type Scope } from './access.ts';
import { RegistryContent } from './content.ts';
import type { Answer, Exchange } from './exchange.ts';
import { type FaultyServer, startFaultyServer } from './faulty-server.ts';
import { type ContentContext, getBlob, getManifest, listCatalog, listReferrers, listTags, putManifest } from './manifests.ts';
import { blobUnknown, manifestUnknown, OciError } from './oci-error.ts';
import { WriterLog } from './request-log.ts';
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
export interface TestRegistry extends FaultyServer {
  readonly content: RegistryContent;
  readonly writers: WriterLog;
  /** Upload sessions neither finished nor cancelled. */
  readonly openUploads: number;
  readonly tokensIssued: number;
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
  const server = await startFaultyServer(
    async (exchange, origin) => {
      try {
        return await route({ ...context, access, uploads, origin }, exchange);
      } catch (error) {
        if (!(error instanceof OciError)) throw error;
        return { status: error.status, headers: { 'content-type': 'application/json', ...error.headers }, body: error.body() };
      }
    },
    { tls: options.tls === undefined ? undefined : tlsOptions(options.tls), port: options.port, bytesPerSecond: options.bytesPerSecond },
  );
  return {
    ...server,
    content: context.content,
    writers: context.writers,
    get openUploads() {
      return uploads.open;
    },
    get tokensIssued() {
      return access.tokensIssued;
    },
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

function tlsOptions({ clientCa, ...identity }: NonNullable<TestRegistryOptions['tls']>): ServerOptions {
  return { ...identity, ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }) };
}
