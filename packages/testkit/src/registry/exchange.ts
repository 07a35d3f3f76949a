import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultAction } from './faults.ts';
import type { LoggedRequest } from './request-log.ts';

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** Raised when a fault destroyed the connection: there is nobody left to answer. */
export class ConnectionCut extends Error {}

/** One request with its fault, if any: reads the body and sends the answer as the fault wants it. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly method: string;
  readonly url: URL;
  readonly #response: ServerResponse;
  readonly #entry: LoggedRequest;
  readonly #fault: FaultAction | undefined;
  readonly #bytesPerSecond: number | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    context: {
      readonly origin: string;
      readonly entry: LoggedRequest;
      readonly fault: FaultAction | undefined;
      readonly bytesPerSecond: number | undefined;
    },
  ) {
    this.request = request;
    this.method = request.method ?? 'GET';
    this.url = new URL(request.url ?? '/', context.origin);
    this.#response = response;
    this.#entry = context.entry;
    this.#fault = context.fault;
    this.#bytesPerSecond = context.bytesPerSecond;
  }

  get writer(): string {
    return this.request.headers['user-agent'] ?? 'unknown';
  }

  /** Feeds the request body to `take` as it arrives. @throws ConnectionCut when a fault ends it early */
  async receive(take: (chunk: Buffer) => void): Promise<void> {
    const limit = this.#fault?.kind === 'cut' ? this.#fault.afterBytes : Number.POSITIVE_INFINITY;
    let received = 0;
    if (limit === 0) this.#cut();
    for await (const chunk of this.request as AsyncIterable<Buffer>) {
      const kept = chunk.subarray(0, Math.max(0, limit - received));
      received += kept.length;
      this.#entry.requestBytes += kept.length;
      if (kept.length > 0) take(kept);
      if (received >= limit) this.#cut();
    }
  }

  async receiveAll(limit: number): Promise<Buffer | undefined> {
    const chunks: Buffer[] = [];
    let size = 0;
    await this.receive((chunk) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
    });
    return size > limit ? undefined : Buffer.concat(chunks);
  }

  async send(answer: Answer): Promise<void> {
    const fault = this.#fault;
    const body = answer.body ?? Buffer.alloc(0);
    const headers: Record<string, string> = { 'content-length': String(body.length), ...answer.headers };
    if (fault?.kind === 'headers') {
      for (const [name, value] of Object.entries(fault.set)) {
        if (value === undefined) delete headers[name];
        else headers[name] = value;
      }
    }
    const status = fault?.kind === 'lie' ? fault.status : answer.status;
    this.#entry.status = status;
    this.#response.writeHead(status, headers);
    if (this.method === 'HEAD') {
      this.#response.end();
      return;
    }
    await this.#sendBody(fault?.kind === 'corrupt' ? corrupted(body) : body, this.request.method === 'GET' ? fault : undefined);
  }

  async #sendBody(body: Buffer, fault: FaultAction | undefined): Promise<void> {
    if (fault?.kind === 'cut') {
      await this.#write(body.subarray(0, fault.afterBytes));
      this.#cut();
    }
    if (fault?.kind === 'stall') return this.#write(body.subarray(0, fault.afterBytes));
    if (fault?.kind === 'drip') return this.#drip(body, fault.chunkBytes, fault.everyMs);
    if (this.#bytesPerSecond !== undefined && body.length > 16_384) {
      return this.#drip(body, Math.max(1024, Math.floor(this.#bytesPerSecond / 50)), 20);
    }
    this.#entry.responseBytes += body.length;
    this.#response.end(body);
  }

  async #drip(body: Buffer, chunkBytes: number, everyMs: number): Promise<void> {
    for (let offset = 0; offset < body.length && !this.#response.destroyed; offset += chunkBytes) {
      await this.#write(body.subarray(offset, offset + chunkBytes));
      await delay(everyMs);
    }
    this.#response.end();
  }

  #write(bytes: Buffer): Promise<void> {
    this.#entry.responseBytes += bytes.length;
    return new Promise((resolve) => {
      if (bytes.length === 0) {
        this.#response.flushHeaders();
        resolve();
        return;
      }
      this.#response.write(bytes, () => resolve());
    });
  }

  #cut(): never {
    this.#entry.status = 0;
    this.#response.destroy();
    this.request.destroy();
    throw new ConnectionCut('the connection was cut by a fault');
  }
}

function corrupted(body: Buffer): Buffer {
  if (body.length === 0) return body;
  const copy = Buffer.from(body);
  const middle = Math.floor(copy.length / 2);
  copy[middle] = (copy[middle] ?? 0) ^ 0xff;
  return copy;
}
