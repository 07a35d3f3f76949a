import type { KubeList, KubeObject, ResourceType, Status, UnstructuredObject, WatchEvent } from '@arc/apimachinery/client';
import { apiVersionOf, ApiStatusError, stringifyJson } from '@arc/apimachinery/client';
import type { Clock, Logger } from '@arc/kernel';
import { ArcError, silentLogger, systemClock } from '@arc/kernel';
import type { Answer } from './answer.ts';
import type { ClientCertificate } from './client-certificate.ts';
import type { ClientConfig } from './client-config.ts';
import type { ClientListOptions, ClientWatchOptions, DeleteOptions, KubeClient, RawRequest, RawResponse } from './client.ts';
import { ConnectionError } from './connection-error.ts';
import { HttpTransport } from './http-transport.ts';
import type { TransportRequest } from './http-transport.ts';
import { collectionPath, listQuery, namespacePath, objectPath, withQuery, writeQuery } from './resource-path.ts';
import { parseBody, readBody, retryAfterSeconds, statusErrorOf } from './response-body.ts';
import { decodeLines } from './watch-stream.ts';

export interface KubeClientOptions {
  readonly userAgent: string;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Told the text of each `Warning` header. */
  readonly onWarning?: (text: string) => void;
  /**
   * Sends lists and watches over one HTTP/2 connection, for clients with many informers of a server known to speak it. Default:
   * a connection for each watch. It takes 180 KB of both ends and a TLS handshake, which counts where both are one process.
   */
  readonly multiplex?: boolean;
  /**
   * Asked before each request for the certificate to present, in place of the one of the configuration: for clients that outlive
   * it. Another one than before makes connections of its own; what is under way ends on those it began on.
   */
  readonly clientCertificate?: () => ClientCertificate;
}

const maxRetries = 5;
/** A server that wants to be left alone for longer than this gets no retry; the caller is told. */
const maxRetryAfterSeconds = 120;
const resetDelaysMs = [20, 100, 500];
/** Repeating one of these does no harm (RFC 9110, 9.2.2). */
const idempotent = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
/** A server ends a watch at its timeout; a stream that lives longer than this beyond it hangs on a dead connection. */
const watchGraceSeconds = 30;

/** @throws ArcError `InvalidServer` */
export function createKubeClient(config: ClientConfig, options: KubeClientOptions): KubeClient {
  const { userAgent, logger = silentLogger, clock = systemClock, onWarning, multiplex = false, clientCertificate } = options;
  const transport = new HttpTransport(config, { clock, multiplex, ...(clientCertificate !== undefined && { clientCertificate }) });
  const { server } = transport;

  async function request<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const response = await retrying(toTransport(method, path, call), async (response) => {
      const body = await readBody(response, server, call.signal);
      return { response, body };
    });
    return parseBody(response.body, response.response, server) as T;
  }

  function toTransport(
    method: string,
    path: string,
    { accept = 'application/json', contentType, body, signal, connection }: Call,
  ): TransportRequest {
    return {
      method,
      path,
      headers: {
        accept,
        'user-agent': userAgent,
        ...(body !== undefined && { 'content-type': contentType ?? 'application/json' }),
      },
      ...(body !== undefined && { body: stringifyJson(body) }),
      ...(signal !== undefined && { signal }),
      ...(connection !== undefined && { connection }),
    };
  }

  /** Sends until there is an answer below 400, the failure is not worth another try, or the tries are used up. */
  async function retrying<R>(request: TransportRequest, consume: (response: Answer) => Promise<R>): Promise<R> {
    for (let attempt = 0; ; attempt += 1) {
      let delayMs: number;
      let problem: ArcError;
      try {
        const response = await transport.send(request);
        warn(response);
        if ((response.statusCode ?? 500) < 400) return await consume(response);
        problem = statusErrorOf(await readBody(response, server, request.signal), response, server);
        delayMs = retryDelayMs(response);
      } catch (error) {
        if (!(error instanceof ConnectionError) || !error.reset || !idempotent.has(request.method)) throw error;
        problem = error;
        delayMs = resetDelaysMs[attempt] ?? -1;
      }
      if (delayMs < 0 || attempt >= maxRetries) throw problem;
      logger.debug('request to the API server failed, trying again', {
        method: request.method,
        path: request.path,
        code: problem.code,
        delayMs,
      });
      await clock.sleep(delayMs, request.signal);
    }
  }

  function warn(response: Answer): void {
    const header = response.headers['warning'];
    if (onWarning === undefined || header === undefined) return;
    for (const [, text = ''] of header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
      onWarning(text.replaceAll(/\\(.)/g, '$1'));
    }
  }

  async function list<T extends KubeObject = UnstructuredObject>(
    type: ResourceType,
    options: ClientListOptions = {},
  ): Promise<KubeList<T>> {
    const path = withQuery(collectionPath(type, options.namespace), listQuery(options));
    const answer = await request<KubeList<T>>('GET', path, {
      ...signalOf(options),
      accept: options.metadataOnly === true ? metadataAccept('PartialObjectMetadataList') : 'application/json',
      ...(multiplex && { connection: 'long' }),
    });
    return { ...answer, items: (answer.items ?? []).map((item) => identified(type, item, options.metadataOnly)) };
  }

  async function* watch<T extends KubeObject = UnstructuredObject>(
    type: ResourceType,
    options: ClientWatchOptions,
  ): AsyncIterable<WatchEvent<T>> {
    const { signal, timeoutSeconds, metadataOnly } = options;
    const path = withQuery(collectionPath(type, options.namespace), {
      watch: 'true',
      resourceVersion: options.resourceVersion,
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      allowWatchBookmarks: options.allowBookmarks === true ? 'true' : undefined,
      timeoutSeconds: timeoutSeconds === undefined ? undefined : String(timeoutSeconds),
    });
    const accept = metadataOnly === true ? metadataAccept('PartialObjectMetadata') : 'application/json';
    let response: Answer;
    try {
      response = await retrying(
        { ...toTransport('GET', path, { accept, ...signalOf(options) }), streaming: true, connection: 'long' },
        (answer) => Promise.resolve(answer),
      );
    } catch (error) {
      if (signal?.aborted === true) return;
      throw error;
    }
    let overdue = false;
    using _watchdog = clock.after((timeoutSeconds ?? 3600) * 1000 + watchGraceSeconds * 1000, () => {
      overdue = true;
      response.destroy();
    });
    try {
      for await (const line of decodeLines(response)) {
        const event = line as WatchEvent<T>;
        if (event.type === 'ERROR') throw new ApiStatusError(event.object as unknown as Status);
        yield { type: event.type, object: identified(type, event.object, metadataOnly) };
        if (signal?.aborted === true) return;
      }
    } catch (error) {
      if (signal?.aborted === true || overdue) return;
      throw error instanceof ArcError && error.code !== 'TruncatedStream' ? error : new ConnectionError(server, error);
    } finally {
      response.destroy();
    }
  }

  async function raw({ method = 'GET', path, headers = {}, body, signal }: RawRequest): Promise<RawResponse> {
    const response = await retrying(
      {
        method,
        path,
        headers: { 'user-agent': userAgent, ...headers },
        streaming: true,
        ...(body !== undefined && { body }),
        ...(signal !== undefined && { signal }),
      },
      (answer) => Promise.resolve(answer),
    );
    return { status: response.statusCode ?? 0, headers: response.headers, body: bodyOf(response, signal) };
  }

  async function* bodyOf(response: Answer, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
    try {
      for await (const chunk of response) yield chunk;
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw new ConnectionError(server, error);
    }
  }

  return {
    get: async (type, ref, options = {}) => request('GET', objectPath(type, ref), signalOf(options)),
    list,
    watch,
    create: async (type, object, options = {}) =>
      request('POST', withQuery(namespacePath(type, object.metadata.namespace), writeQuery(options)), {
        body: object,
        ...signalOf(options),
      }),
    update: async (type, object, options = {}) =>
      request('PUT', withQuery(objectPath(type, refOf(object)), writeQuery(options)), { body: object, ...signalOf(options) }),
    updateStatus: async (type, object, options = {}) =>
      request('PUT', withQuery(objectPath(type, refOf(object), 'status'), writeQuery(options)), { body: object, ...signalOf(options) }),
    patch: async (type, ref, patch, options = {}) =>
      request('PATCH', withQuery(objectPath(type, ref, options.subresource), writeQuery(options)), {
        body: patch,
        contentType: options.patchType === 'json' ? 'application/json-patch+json' : 'application/merge-patch+json',
        ...signalOf(options),
      }),
    async delete(type, ref, options = {}) {
      await request('DELETE', objectPath(type, ref), { body: deleteOptions(options), ...signalOf(options) });
    },
    async deleteCollection(type, options = {}) {
      const path = withQuery(collectionPath(type, options.namespace), listQuery(options));
      await request('DELETE', path, { body: deleteOptions(options), ...signalOf(options) });
    },
    raw,
    async [Symbol.asyncDispose]() {
      transport[Symbol.dispose]();
    },
  };
}

interface Call {
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly connection?: 'long';
}

function signalOf(options: { readonly signal?: AbortSignal }): { signal?: AbortSignal } {
  return options.signal === undefined ? {} : { signal: options.signal };
}

function refOf({ metadata: { namespace, name = '' } }: KubeObject): { namespace?: string; name: string } {
  return { name, ...(namespace !== undefined && { namespace }) };
}

function deleteOptions({ propagationPolicy, preconditions }: DeleteOptions): unknown {
  return {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    ...(propagationPolicy !== undefined && { propagationPolicy }),
    ...(preconditions !== undefined && { preconditions }),
  };
}

function metadataAccept(as: 'PartialObjectMetadata' | 'PartialObjectMetadataList'): string {
  return `application/json;as=${as};g=meta.k8s.io;v=v1,application/json`;
}

/** Typed servers leave out apiVersion and kind of list items, and metadata-only objects carry their own. */
function identified<T extends KubeObject>(type: ResourceType, object: T, metadataOnly = false): T {
  const identity = { apiVersion: apiVersionOf(type), kind: type.kind };
  if (metadataOnly) return { ...identity, metadata: object.metadata } as T;
  return object.apiVersion === identity.apiVersion && object.kind === identity.kind ? object : { ...object, ...identity };
}

/** Milliseconds to wait before the next try, negative: none. Only a server that says when is asked again. */
function retryDelayMs(response: Answer): number {
  const code = response.statusCode ?? 500;
  const seconds = retryAfterSeconds(response);
  if (seconds === undefined || seconds > maxRetryAfterSeconds || (code !== 429 && code < 500)) return -1;
  return Math.max(seconds * 1000, 10);
}
