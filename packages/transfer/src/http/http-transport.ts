import { type Clock, orAborted, systemClock } from '@arc/kernel';
import { Authenticator } from '../auth/authenticator.ts';
import type { Scope } from '../auth/challenge.ts';
import { anonymous, type CredentialSource } from '../auth/credential.ts';
import { givenUp, TransferError } from '../transfer-error.ts';
import type { AddressZone, NameResolver } from './address-zone.ts';
import type { ProxySelector } from './proxy.ts';
import { defaultRetryPolicy, isRetryableStatus, retryDelay, type RetryPolicy } from './retry.ts';
import { readLimited, statusError } from './status-error.ts';
import type { MinThroughput } from './throughput-floor.ts';
import { ServerWarnings } from './server-warnings.ts';
import { resolveDerivedURL, resolveRealm, sameOrigin } from './url-rules.ts';
import { BodyFailure, type StreamBody, type TlsOptions, Wire, type WireResponse } from './wire.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'MKCOL' | 'MOVE' | 'LOCK' | 'UNLOCK';
  readonly url: URL;
  /** For messages, beginning with a verb: "read manifest v1". */
  readonly operation: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent once and never retried here. */
  readonly body?: Buffer | StreamBody;
  readonly scopes?: readonly Scope[];
  /** Statuses besides 2xx that the caller understands. */
  readonly expect?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

export interface RetryNotice {
  readonly operation: string;
  readonly reason: string;
  readonly delayMs: number;
}

export interface HttpTransportOptions {
  readonly credentials?: CredentialSource;
  /** For servers that answer 404 instead of asking for credentials. Off unless told. */
  readonly preemptive?: boolean;
  readonly tls?: TlsOptions;
  /** Which requests go through a proxy; none unless told. */
  readonly proxy?: ProxySelector | undefined;
  /** How names that a server gave us are looked up; as the system does unless told. */
  readonly resolve?: NameResolver | undefined;
  /** Called once for each warning a registry sends with an answer (`Warning: 299`, distribution-spec); nothing acts on them. */
  readonly onWarning?: (text: string) => void;
  readonly userAgent?: string;
  /** Hosts that credentials may be sent to for a token, besides the registry's own domain. */
  readonly trustedAuthHosts?: readonly string[];
  /** Hosts that redirects may lead to wherever they lie. */
  readonly trustedHosts?: readonly string[];
  readonly clock?: Clock;
  readonly retry?: RetryPolicy;
  readonly connectTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly responseTimeoutMs?: number;
  /** Ends bodies that move slower than this. */
  readonly minThroughput?: MinThroughput | undefined;
  readonly onRetry?: (notice: RetryNotice) => void;
  /** Adds headers to every request that goes to the origin itself, anew for each try: a signature over time, path and headers. */
  readonly sign?: RequestSigner;
  /** Turns an answer that is not what was hoped for into an error, for servers that speak no registry's language. */
  readonly explain?: (response: WireResponse, operation: string, now: number) => Promise<TransferError>;
  /** What a redirect of a GET or HEAD is: followed unless told; `answer` treats it like any other status. */
  readonly redirects?: 'follow' | 'answer';
}

/** The headers to add to a request. */
export type RequestSigner = (request: {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}) => Readonly<Record<string, string>>;

const maxRedirects = 5;

/**
 * The one way to a registry: owns connections, authentication, retries with the pauses the registry asks for, timeouts
 * and redirects of one endpoint. Credentials go to the exact origin of the endpoint and to its token service, nowhere else.
 */
export class HttpTransport implements Disposable {
  readonly origin: URL;
  readonly #wire: Wire;
  readonly #authenticator: Authenticator;
  readonly #clock: Clock;
  readonly #retry: RetryPolicy;
  readonly #userAgent: string;
  readonly #trustedHosts: readonly string[];
  readonly #onRetry: (notice: RetryNotice) => void;
  readonly #warnings: ServerWarnings;
  readonly #sign: RequestSigner | undefined;
  readonly #explain: NonNullable<HttpTransportOptions['explain']>;
  readonly #redirects: 'follow' | 'answer';
  #zone: AddressZone = 'public';
  #pausedUntil = 0;

  constructor(origin: URL, options: HttpTransportOptions = {}) {
    this.origin = origin;
    this.#clock = options.clock ?? systemClock;
    this.#retry = options.retry ?? defaultRetryPolicy;
    this.#userAgent = options.userAgent ?? 'arc-transfer';
    this.#trustedHosts = [...(options.trustedHosts ?? []), ...(options.trustedAuthHosts ?? [])];
    this.#onRetry = options.onRetry ?? (() => {});
    this.#warnings = new ServerWarnings(options.onWarning ?? (() => {}));
    this.#sign = options.sign;
    this.#explain = options.explain ?? statusError;
    this.#redirects = options.redirects ?? 'follow';
    this.#wire = new Wire({
      origin: origin.origin,
      tls: options.tls ?? {},
      proxy: options.proxy,
      resolve: options.resolve,
      clock: this.#clock,
      timeouts: {
        connectMs: options.connectTimeoutMs ?? 10_000,
        idleMs: options.idleTimeoutMs ?? 30_000,
        responseMs: options.responseTimeoutMs ?? 120_000,
        minThroughput: options.minThroughput,
      },
    });
    this.#authenticator = new Authenticator({
      registry: origin,
      credentials: options.credentials ?? anonymous,
      clock: this.#clock,
      preemptive: options.preemptive ?? false,
      resolveRealm: (realm) => resolveRealm(origin, realm, options.trustedAuthHosts ?? []),
      fetchToken: (request) => this.#fetchToken(request),
    });
  }

  get clock(): Clock {
    return this.#clock;
  }

  get retryPolicy(): RetryPolicy {
    return this.#retry;
  }

  [Symbol.dispose](): void {
    this.#wire[Symbol.dispose]();
  }

  /**
   * Sends a request and returns the answer when its status is 2xx or expected.
   *
   * @throws TransferError, with `retryable` true only when the tries were used up or the body could not be sent again;
   * what the stream of a body threw; the reason of the signal
   */
  async request(request: HttpRequest): Promise<WireResponse> {
    return this.#withRetries(request.operation, request.body === undefined || request.body instanceof Buffer, request.signal, async () => {
      const response = await this.#authorized(request);
      if ((response.status >= 200 && response.status < 300) || request.expect?.includes(response.status) === true) return response;
      throw await this.#explain(response, request.operation, this.#clock.now());
    });
  }

  async #withRetries<T>(operation: string, repeatable: boolean, signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      const pause = this.#pausedUntil - this.#clock.now();
      if (pause > 0) await this.#clock.sleep(pause, signal);
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof BodyFailure) throw error.reason;
        if (!(error instanceof TransferError) || !error.retryable) throw error;
        const delayMs = retryDelay(this.#retry, tries, error);
        if (error.retryAfterMs !== undefined && isRetryableStatus(error.status ?? 0)) {
          // Everybody who talks to this registry waits, not only the request that was told so.
          this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now() + delayMs);
        }
        if (!repeatable) throw error;
        if (tries + 1 >= this.#retry.attempts) throw givenUp(error, tries + 1);
        this.#onRetry({ operation, reason: error.message, delayMs });
        await this.#clock.sleep(delayMs, signal);
      }
    }
  }

  async #authorized(request: HttpRequest): Promise<WireResponse> {
    const scopes = request.scopes ?? [];
    const atHome = sameOrigin(request.url, this.origin);
    const first = atHome ? await orAborted(this.#authenticator.authorization(scopes), request.signal) : undefined;
    const response = await this.#follow(request, first);
    if (response.status !== 401 || !atHome || !sameOrigin(response.url, this.origin)) return response;
    response.discard();
    const second = await orAborted(this.#authenticator.answer(response.headers['www-authenticate'], scopes, first), request.signal);
    if (request.body !== undefined && !(request.body instanceof Buffer)) {
      throw new TransferError('Unauthorized', `${request.operation}: ${this.origin.host} wants a new token`, {
        status: 401,
        retryable: true,
      });
    }
    const answer = await this.#follow(request, second);
    if (answer.status !== 401 || request.expect?.includes(401) === true) return answer;
    answer.discard();
    throw this.#authenticator.refusal(scopes);
  }

  async #follow(request: HttpRequest, authorization: string | undefined): Promise<WireResponse> {
    let { url } = request;
    for (let hops = 0; ; hops += 1) {
      const atHome = sameOrigin(url, this.origin);
      const response = await this.#wire.send({
        method: request.method,
        url,
        headers: {
          'accept-encoding': 'identity',
          'user-agent': this.#userAgent,
          ...request.headers,
          ...(authorization !== undefined && atHome ? { authorization } : {}),
          ...(atHome ? this.#sign?.({ method: request.method, url, headers: request.headers ?? {} }) : {}),
        },
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(url.hostname === this.origin.hostname || this.#trustedHosts.includes(url.hostname) ? {} : { within: this.#zone }),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
      if (atHome) this.#zone = response.zone ?? this.#zone;
      if (atHome) this.#warnings.take(response.headers['warning']);
      if (![301, 302, 303, 307, 308].includes(response.status) || this.#redirects === 'answer') return response;
      response.discard();
      const { location } = response.headers;
      if (location === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
        throw new TransferError('UnsafeURL', `${request.operation}: ${url.host} redirects a ${request.method}, which is not followed`, {
          status: response.status,
          hint: 'Use the address the registry redirects to as remoteURL of the endpoint.',
        });
      }
      if (hops >= maxRedirects)
        throw new TransferError('UnsafeURL', `${request.operation}: more than ${maxRedirects} redirects from ${request.url.host}`);
      url = resolveDerivedURL(url, location, 'a redirect');
    }
  }

  async #fetchToken(request: {
    method: 'GET' | 'POST';
    url: URL;
    headers: Readonly<Record<string, string>>;
    body?: Buffer;
  }): Promise<unknown> {
    const operation = `fetch a token for ${this.origin.host}`;
    const { url } = request;
    return this.#withRetries(operation, true, undefined, async () => {
      const response = await this.#wire.send({
        ...request,
        headers: { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': this.#userAgent, ...request.headers },
        ...(url.hostname === this.origin.hostname || this.#trustedHosts.includes(url.hostname) ? {} : { within: this.#zone }),
      });
      // A redirect is an error here: the password must not travel on.
      if (response.status !== 200) throw await statusError(response, operation, this.#clock.now());
      const text = (await readLimited(response, 1024 * 1024, 'the answer of the token service')).toString('utf8');
      try {
        return JSON.parse(text) as unknown;
      } catch {
        throw new TransferError('UnexpectedAnswer', `the token service ${url.host} did not answer with JSON`);
      }
    });
  }
}
