import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { StorageError } from '@arc/storage';
import { progressRequest, type WatchRequest, type WatchResponse } from '../wire/watch.ts';

/** Responses held before the sender is told to wait. */
const maxQueued = 64;

/** What a watch has received, taken at the consumer's pace. */
export class WatchStream implements Disposable {
  readonly #stream: ClientDuplexStream<WatchRequest | typeof progressRequest, WatchResponse>;
  #queue: WatchResponse[] = [];
  #ended: StorageError | undefined;
  #wake: (() => void) | undefined;

  constructor(
    stream: ClientDuplexStream<WatchRequest | typeof progressRequest, WatchResponse>,
    failureOf: (error: ServiceError) => StorageError,
  ) {
    this.#stream = stream;
    stream.on('data', (response: WatchResponse) => {
      this.#queue.push(response);
      if (this.#queue.length >= maxQueued) stream.pause();
      this.wake();
    });
    stream.on('error', (error: ServiceError) => this.#end(failureOf(error)));
    stream.on('end', () => this.#end(new StorageError('Unavailable', 'etcd ended the watch')));
  }

  /** Lets `take` return, with nothing if need be. */
  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /**
   * All that was received since the last call, in order; waits for something, a wake-up or `timeoutMs`.
   *
   * @throws StorageError once the watch has ended and everything was taken
   */
  async take(timeoutMs?: number): Promise<readonly WatchResponse[]> {
    if (this.#queue.length === 0 && this.#ended === undefined) await this.#wait(timeoutMs);
    const responses = this.#queue;
    if (responses.length === 0 && this.#ended !== undefined) throw this.#ended;
    this.#queue = [];
    if (responses.length >= maxQueued) this.#stream.resume();
    return responses;
  }

  /** Asks how far everything has been sent; answered by a response without events, if at all. */
  requestProgress(): void {
    this.#stream.write(progressRequest);
  }

  [Symbol.dispose](): void {
    this.#stream.cancel();
  }

  async #wait(timeoutMs: number | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.wake(), timeoutMs);
    await promise;
    clearTimeout(timer);
  }

  #end(error: StorageError): void {
    this.#ended ??= error;
    this.wake();
  }
}
