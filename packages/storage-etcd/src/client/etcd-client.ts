import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { backoffDelay, messageOf, systemClock } from '@arc/kernel';
import { StorageError } from '@arc/storage';
import type { Method } from '../wire/fields.ts';
import { authenticate } from '../wire/server.ts';
import { watch, type WatchRequest, type WatchResponse } from '../wire/watch.ts';
import { callFailure, type CallFailure } from './call-failure.ts';
import type { Endpoint } from './endpoints.ts';
import { WatchStream } from './watch-stream.ts';

export interface EtcdCredentials {
  readonly user: string;
  /** A function is asked before every login, so that the password can change under a running server. */
  readonly password: string | (() => Promise<string>);
}

export interface EtcdClientOptions {
  readonly credentials: EtcdCredentials | undefined;
  /** How long a call is tried, on one member after the other, milliseconds. */
  readonly timeoutMs: number;
}

/** What a failed attempt rejects with, for those who decide themselves whether to try again. */
export class AttemptError extends Error {
  readonly failure: CallFailure;

  constructor(failure: CallFailure) {
    super(failure.error.message, { cause: failure.error });
    this.failure = failure;
  }
}

/** Calls to an etcd of one or more members: one is used until it fails, then the next. */
export class EtcdClient {
  readonly timeoutMs: number;
  readonly #endpoints: readonly Endpoint[];
  readonly #credentials: EtcdCredentials | undefined;
  #current = 0;
  #metadata: Promise<Metadata> | undefined;

  constructor(endpoints: readonly Endpoint[], options: EtcdClientOptions) {
    this.#endpoints = endpoints;
    this.#credentials = options.credentials;
    this.timeoutMs = options.timeoutMs;
  }

  /**
   * Makes a call that may be repeated safely, until it succeeds, is refused or time is up.
   *
   * @throws StorageError, or the signal's reason
   */
  async call<Request, Response>(method: Method<Request, Response>, request: Request, signal?: AbortSignal): Promise<Response> {
    const deadline = systemClock.monotonic() + this.timeoutMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.attempt(method, request, { deadline, signal });
      } catch (error) {
        if (!(error instanceof AttemptError)) throw error;
        if (!(await this.mayTryAgain(error.failure, { attempt, deadline, signal }))) throw error.failure.error;
      }
    }
  }

  /** Waits as long as it is wise before attempt number `attempt` + 2; false when there should be none. */
  async mayTryAgain(
    failure: CallFailure,
    { attempt, deadline, signal }: { readonly attempt: number; readonly deadline: number; readonly signal?: AbortSignal | undefined },
  ): Promise<boolean> {
    if (!failure.retry) return false;
    // A token is renewed once or twice; one that is refused at once is refused for ever.
    if (failure.staleToken && attempt >= 2) return false;
    const delay = backoffDelay(Math.max(0, attempt + 1 - this.#endpoints.length), { initialMs: 20, maxMs: 500, jitter: 0.5 });
    if (systemClock.monotonic() + delay >= deadline) return false;
    await systemClock.sleep(delay, signal);
    return true;
  }

  /**
   * Makes a call once, on the current member.
   *
   * @throws AttemptError, or the signal's reason
   */
  async attempt<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    { deadline, signal }: { readonly deadline: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Response> {
    signal?.throwIfAborted();
    // A member that hangs leaves time for the others.
    const share = Math.min(deadline, systemClock.monotonic() + this.timeoutMs / this.#endpoints.length);
    const login = this.#login(share);
    return await this.#send(method, request, { deadline: share, signal, metadata: await login, login });
  }

  /** Opens a watch on the current member. */
  async watch(request: WatchRequest): Promise<WatchStream> {
    const login = this.#login(systemClock.monotonic() + this.timeoutMs);
    const metadata = await login;
    const index = this.#current;
    const { address, channel } = this.#endpoint(index);
    const stream = channel.makeBidiStreamRequest(watch.path, bytesOf(watch), decoderOf(watch), metadata);
    // A token that has run out is told as a cancellation for want of permission.
    stream.on('data', ({ canceled, compactRevision }: WatchResponse) => {
      if (canceled && compactRevision === 0) this.#forget(login);
    });
    stream.write(request);
    return new WatchStream(stream, (error) => this.#failed(error, { index, address, login }).error);
  }

  close(): void {
    for (const { channel } of this.#endpoints) channel.close();
  }

  #send<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: {
      /** By the monotonic clock. */
      readonly deadline: number;
      readonly signal: AbortSignal | undefined;
      readonly metadata: Metadata;
      /** What the metadata came from; undefined for the login itself. */
      readonly login: Promise<Metadata> | undefined;
    },
  ): Promise<Response> {
    const { signal, metadata, login } = options;
    // Grpc-js measures from the time of day, which may be set between two attempts; so only this last step does.
    const deadline = Date.now() + options.deadline - systemClock.monotonic();
    const index = this.#current;
    const { address, channel } = this.#endpoint(index);
    return new Promise((resolve, reject) => {
      const call = channel.makeUnaryRequest(
        method.path,
        bytesOf(method),
        decoderOf(method),
        request,
        metadata,
        { deadline },
        (error, response) => {
          signal?.removeEventListener('abort', cancel);
          if (signal?.aborted === true) reject(signal.reason);
          else if (error !== null) reject(new AttemptError(this.#failed(error, { index, address, login })));
          else resolve(response as Response);
        },
      );
      const cancel = (): void => call.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  #failed(error: ServiceError, { index, address, login }: CallOrigin): CallFailure {
    const failure = callFailure(error, address);
    if (failure.staleToken) this.#forget(login);
    else if (failure.retry && this.#current === index) this.#current = (index + 1) % this.#endpoints.length;
    return failure;
  }

  #login(deadline: number): Promise<Metadata> {
    this.#metadata ??= this.#newMetadata(deadline);
    return this.#metadata;
  }

  /** All calls that were refused with one token lead to one login: etcd makes each of them cost it some 50 ms. */
  #forget(login: Promise<Metadata> | undefined): void {
    if (this.#metadata === login) this.#metadata = undefined;
  }

  async #newMetadata(deadline: number): Promise<Metadata> {
    const metadata = new Metadata();
    // A member without a leader refuses at once instead of letting the caller wait.
    metadata.set('hasleader', 'true');
    if (this.#credentials === undefined) return metadata;
    try {
      const credentials = await readCredentials(this.#credentials);
      const { token } = await this.#send(authenticate, credentials, { deadline, signal: undefined, metadata, login: undefined });
      metadata.set('token', token);
      return metadata;
    } catch (error) {
      // Credentials for an etcd that asks for none do no harm.
      if (messageOf(error).includes('authentication is not enabled')) return metadata;
      this.#metadata = undefined;
      throw error;
    }
  }

  #endpoint(index: number): Endpoint {
    const endpoint = this.#endpoints[index];
    if (endpoint === undefined) throw new StorageError('Unavailable', 'no endpoint of etcd was given');
    return endpoint;
  }
}

interface CallOrigin {
  readonly index: number;
  readonly address: string;
  readonly login: Promise<Metadata> | undefined;
}

async function readCredentials({ user, password }: EtcdCredentials): Promise<{ user: string; password: string }> {
  if (typeof password === 'string') return { user, password };
  try {
    return { user, password: await password() };
  } catch (error) {
    throw new StorageError('Unavailable', `there is no password for the user ${user} of etcd: ${messageOf(error)}`, { cause: error });
  }
}

function bytesOf<Request, Response>({ encode }: Method<Request, Response>): (request: Request) => Buffer {
  return (request) => {
    const bytes = encode(request);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function decoderOf<Request, Response>({ decode }: Method<Request, Response>): (bytes: Buffer) => Response {
  return (bytes) => decode(bytes);
}
