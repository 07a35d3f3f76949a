import type { Clock } from '@arc/kernel';
import { codeOf } from '@arc/kernel';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import type { SecureContext } from 'node:tls';
import { TransferError } from '../transfer-error.ts';
import { type AddressZone, guardedLookup, mayLeadTo, type NameResolver, refusedAddress, unseenAddress, zoneOf } from './address-zone.ts';
import { proxyAuthorization, type ProxySelector } from './proxy.ts';
import { type MinThroughput, ThroughputFloor } from './throughput-floor.ts';
import { refusal, tunnelThrough } from './tunnel.ts';
import { redactURL } from './url-rules.ts';
import { Watchdog } from './watchdog.ts';

/**
 * Not imported: the import of node:http reads every one of its exports, one of which loads a WebSocket client. That is 30 ms
 * of a step that often takes 100. TLS is loaded with the first https URL.
 */
const http = process.getBuiltinModule('node:http');

export interface TlsOptions {
  /** PEM certificates trusted besides the system's. */
  readonly ca?: string;
  /** PEM client certificate and key. */
  readonly cert?: string;
  readonly key?: string;
  /** The name the certificate of the endpoint has to have; default: its host. */
  readonly serverName?: string;
  /** Accepts any certificate. Only when somebody asked for exactly this. */
  readonly insecureSkipVerify?: boolean;
}

/** A body that can be sent once. */
export interface StreamBody {
  readonly length: number;
  readonly stream: AsyncIterable<Buffer>;
}

export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | StreamBody;
  /** Set for a URL a server gave us: how far inside it may lead. */
  readonly within?: AddressZone;
  readonly signal?: AbortSignal;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly url: URL;
  /** Where the peer lies, when the connection still tells. */
  readonly zone: AddressZone | undefined;
  /** The body in pieces as they arrive; read it to the end or call `discard`. */
  readonly body: AsyncIterable<Buffer>;
  /** Drops the rest of the body, and the connection with it unless little was left. */
  discard(): void;
}

export interface WireTimeouts {
  readonly connectMs: number;
  /** Longest silence between two pieces of a body, in either direction. */
  readonly idleMs: number;
  /** Longest wait for the head of the answer once the request is sent. */
  readonly responseMs: number;
  /** The slowest a body may be; none unless told. */
  readonly minThroughput?: MinThroughput | undefined;
}

/** Raised through `send` when the stream of a request body failed: it is the fault of whoever produces it. */
export class BodyFailure extends Error {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super('the request body failed');
    this.reason = reason;
  }
}

/** Single HTTP/1.1 exchanges over kept-alive connections: no authentication, no redirects, no retries. */
export class Wire implements Disposable {
  readonly #http = new http.Agent({ keepAlive: true, scheduling: 'lifo' });
  readonly #tls: TlsOptions;
  readonly #origin: string;
  readonly #timeouts: WireTimeouts;
  readonly #clock: Clock;
  readonly #proxyFor: ProxySelector;
  readonly #resolve: NameResolver | undefined;
  /** By what they are for: the endpoint or others, straight or through which proxy. */
  readonly #secure = new Map<string, HttpsAgent>();

  /** `origin` is that of the endpoint, as in `URL.origin`. */
  constructor(options: {
    readonly origin: string;
    readonly tls: TlsOptions;
    readonly timeouts: WireTimeouts;
    readonly clock: Clock;
    readonly proxy?: ProxySelector | undefined;
    readonly resolve?: NameResolver | undefined;
  }) {
    this.#resolve = options.resolve;
    this.#proxyFor = options.proxy ?? (() => undefined);
    this.#tls = options.tls;
    this.#origin = options.origin;
    this.#timeouts = options.timeouts;
    this.#clock = options.clock;
  }

  [Symbol.dispose](): void {
    this.#http.destroy();
    for (const agent of this.#secure.values()) agent.destroy();
  }

  /** @throws TransferError `ConnectionFailed`, `TLSFailed`, `Timeout`, `UnsafeURL`; BodyFailure; the reason of the signal */
  async send(request: WireRequest): Promise<WireResponse> {
    request.signal?.throwIfAborted();
    const { url, within } = request;
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    if (within !== undefined && isIP(literal) !== 0 && !mayLeadTo(within, literal)) throw refusedAddress(literal);
    const proxy = this.#proxyFor(url);
    if (within !== undefined && proxy !== undefined && isIP(literal) === 0) throw unseenAddress(url);
    const outgoing = this.#open(request, proxy);
    const detach = destroyOnAbort(outgoing, request.signal);
    try {
      const response = await this.#exchange(outgoing, request);
      if (proxy !== undefined && response.statusCode === 407) throw refusal(proxy, url.host, 407);
      return this.#wrap(response, outgoing, { ...request, ...(proxy === undefined ? {} : { proxy }) }, detach);
    } catch (error) {
      outgoing.destroy();
      detach();
      throw request.signal?.aborted === true ? request.signal.reason : error;
    }
  }

  #open(request: WireRequest, proxy: URL | undefined): ClientRequest {
    const { url, method, body, within } = request;
    const length = body?.length;
    const needsLength = length === undefined && method !== 'GET' && method !== 'HEAD';
    const headers = {
      ...request.headers,
      ...(length !== undefined ? { 'content-length': String(length) } : needsLength ? { 'content-length': '0' } : {}),
    };
    const options = { method, headers, ...(within === undefined ? {} : { lookup: guardedLookup(within, this.#resolve) }) };
    if (url.protocol === 'https:')
      return process.getBuiltinModule('node:https').request(url, { ...options, agent: this.#secureAgent(url, proxy) });
    if (proxy === undefined) return http.request(url, { ...options, agent: this.#http });
    if (proxy.protocol === 'https:')
      throw new TransferError('InvalidEndpoint', `plain http does not go through the proxy ${proxy.host}, which is https`);
    const authorization = proxyAuthorization(proxy);
    const through = { ...headers, host: url.host, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) };
    return http.request(new URL(proxy.origin), { ...options, headers: through, path: url.href, agent: this.#http });
  }

  /** Whom the endpoint redirects to is neither shown our certificate nor expected to have the endpoint's name. */
  #secureAgent(url: URL, proxy: URL | undefined): HttpsAgent {
    const own = url.origin === this.#origin;
    const key = `${own ? 'own' : 'foreign'} ${proxy?.href ?? ''}`;
    let agent = this.#secure.get(key);
    if (agent === undefined) {
      const { cert: _cert, key: _key, serverName: _serverName, ...rest } = this.#tls;
      agent = this.#agentWith(own ? this.#tls : rest);
      if (proxy !== undefined) agent = tunnelThrough(agent, proxy, this.#timeouts.connectMs);
      this.#secure.set(key, agent);
    }
    return agent;
  }

  #agentWith({ ca, cert, key, serverName, insecureSkipVerify }: TlsOptions): HttpsAgent {
    const https = process.getBuiltinModule('node:https');
    return new https.Agent({
      keepAlive: true,
      scheduling: 'lifo',
      secureContext: secureContextOf({ ca, cert, key }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...(insecureSkipVerify === true ? { rejectUnauthorized: false } : {}),
    });
  }

  async #exchange(outgoing: ClientRequest, request: WireRequest): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const fail = (error: Error): void => reject(classify(error, request.url));
    outgoing.on('error', fail);
    outgoing.on('response', resolve);
    using connecting = this.#watch(outgoing, this.#timeouts.connectMs, `connecting to ${request.url.host}`);
    outgoing.on('socket', (socket) => {
      const ready = request.url.protocol === 'https:' ? 'secureConnect' : 'connect';
      if (socket.connecting) socket.once(ready, () => connecting[Symbol.dispose]());
      else connecting[Symbol.dispose]();
    });
    const sent = this.#sendBody(outgoing, request, promise);
    // Whichever ends first decides: an answer may come before the whole body has gone out.
    await Promise.race([promise, sent.then(() => undefined)]);
    using _waiting = this.#watch(outgoing, this.#timeouts.responseMs, `waiting for the answer of ${request.url.host}`);
    return await promise;
  }

  async #sendBody(outgoing: ClientRequest, request: WireRequest, answered: Promise<unknown>): Promise<void> {
    const { body } = request;
    if (body === undefined || !('stream' in body)) {
      outgoing.end(body);
      return;
    }
    let over = false;
    let wake: () => void = () => {};
    const goOn = (): void => wake();
    const stop = (): void => {
      over = true;
      wake();
    };
    answered.then(stop, stop);
    outgoing.on('drain', goOn);
    outgoing.on('close', stop);
    using idle = this.#watchdog(outgoing, `sending to ${request.url.host}`);
    const floor = this.#floor(`sending to ${request.url.host}`);
    try {
      for await (const chunk of body.stream) {
        if (over) break;
        floor?.moved(chunk.length);
        if (outgoing.write(chunk)) continue;
        idle.begin();
        const since = this.#clock.now();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        idle.end();
        const tooSlow = over ? undefined : floor?.waited(this.#clock.now() - since);
        if (tooSlow !== undefined) outgoing.destroy(tooSlow);
      }
    } catch (error) {
      throw new BodyFailure(error);
    }
    if (!over) outgoing.end();
  }

  #wrap(
    response: IncomingMessage,
    outgoing: ClientRequest,
    request: WireRequest & { readonly proxy?: URL },
    detach: () => void,
  ): WireResponse {
    const idle = this.#watchdog(response, `reading from ${request.url.host}`);
    const floor = this.#floor(`reading from ${request.url.host}`);
    const clock = this.#clock;
    const finish = (): void => {
      detach();
      if (!outgoing.writableFinished) outgoing.destroy();
    };
    async function* body(): AsyncGenerator<Buffer> {
      let ended = false;
      try {
        const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
        for (;;) {
          idle.begin();
          const since = floor === undefined ? 0 : clock.now();
          const next = await chunks.next();
          idle.end();
          if (next.done === true) break;
          if (floor !== undefined) {
            floor.moved(next.value.length);
            const tooSlow = floor.waited(clock.now() - since);
            if (tooSlow !== undefined) throw tooSlow;
          }
          yield next.value;
        }
        ended = true;
      } catch (error) {
        throw request.signal?.aborted === true ? request.signal.reason : classify(error, request.url);
      } finally {
        idle[Symbol.dispose]();
        if (!ended) response.destroy();
        finish();
      }
    }
    const peer = response.socket.remoteAddress;
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      url: request.url,
      // Where a proxy lies says nothing about the server.
      zone: peer === undefined || request.proxy !== undefined ? undefined : zoneOf(peer),
      body: body(),
      discard: () => {
        const left = Number(response.headers['content-length'] ?? Number.POSITIVE_INFINITY);
        response.on('error', () => {});
        if (left <= 65_536 || request.method === 'HEAD') response.resume();
        else response.destroy();
        finish();
      },
    };
  }

  #watch(stalled: ClientRequest, ms: number, doing: string): Disposable {
    return this.#clock.after(ms, () => stalled.destroy(timedOut(doing, ms)));
  }

  #floor(doing: string): ThroughputFloor | undefined {
    const { minThroughput } = this.#timeouts;
    return minThroughput === undefined ? undefined : new ThroughputFloor(minThroughput, doing);
  }

  #watchdog(stalled: ClientRequest | IncomingMessage, doing: string): Watchdog {
    const { idleMs } = this.#timeouts;
    return new Watchdog(this.#clock, idleMs, () => stalled.destroy(timedOut(doing, idleMs)));
  }
}

let latestContext: { readonly key: string; readonly context: SecureContext } | undefined;

/**
 * Made once for both sides of a copy with the same authority: each context parses all certificates of the system, 20 ms of CPU
 * time, and without one every connection makes its own.
 */
function secureContextOf(identity: Record<'ca' | 'cert' | 'key', string | undefined>): SecureContext {
  const tls = process.getBuiltinModule('node:tls');
  const { ca, cert, key } = identity;
  const id = JSON.stringify([ca, cert, key]);
  if (latestContext?.key === id) return latestContext.context;
  const context = tls.createSecureContext({
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca: [...tls.getCACertificates('default'), ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
  latestContext = { key: id, context };
  return context;
}

function timedOut(doing: string, ms: number): TransferError {
  return new TransferError('Timeout', `timed out ${doing}: nothing happened for ${Math.round(ms / 1000)} s`, {
    retryable: true,
    hint: 'Check the network and the load of the registry.',
  });
}

function destroyOnAbort(outgoing: ClientRequest, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => {};
  const abort = (): void => void outgoing.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}

function classify(error: unknown, url: URL): unknown {
  if (error instanceof TransferError) return error;
  const code = codeOf(error) ?? '';
  const cause = { cause: error, details: { url: redactURL(url) } };
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|^ERR_SSL|EPROTO/.test(code)) {
    return new TransferError('TLSFailed', `no trusted TLS connection to ${url.host}: ${code}`, {
      ...cause,
      hint: 'Give the certificate of its authority (ca.crt in the Secret), or write http:// if the registry speaks plain http.',
    });
  }
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    ENOTFOUND: 'the name cannot be resolved',
    EAI_AGAIN: 'the name cannot be resolved at the moment',
    EHOSTUNREACH: 'host unreachable',
    ENETUNREACH: 'network unreachable',
    ETIMEDOUT: 'connection timed out',
    ECONNRESET: 'the connection was cut',
    EPIPE: 'the connection was cut',
  };
  const reason = reasons[code] ?? (code === '' ? (error instanceof Error ? error.message : String(error)) : code);
  return new TransferError('ConnectionFailed', `${url.host}: ${reason}`, {
    ...cause,
    retryable: true,
    hint: 'Check that the registry runs at this address and can be reached from here.',
  });
}
