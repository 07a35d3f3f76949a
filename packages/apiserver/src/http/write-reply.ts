import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import { ArcError, type Clock } from '@arc/kernel';
import { clientGone } from './client-gone.ts';
import type { Exchange, Outgoing } from './exchange.ts';
import type { Reply, ReplyBody } from './reply.ts';
import { stallTimeoutMs, writeFeed } from './write-feed.ts';

const gzip = promisify(gzipCallback);

/** Answers above this many bytes are compressed for clients that accept it (wire contract 4.5). */
const compressionThreshold = 128 * 1024;
/** Text gathered before it is written: worth a write, and not holding up others. */
const chunkSize = 128 * 1024;

export interface WriteOptions {
  readonly clock: Clock;
  /** Cuts the answer off. */
  readonly signal: AbortSignal;
}

/**
 * Writes a whole answer with backpressure. Resolves when it has been handed to the connection.
 * @throws when the client has gone, stalls, or the body fails half-way; the exchange is then aborted by the caller.
 */
export async function writeReply(exchange: Exchange, reply: Reply, options: WriteOptions): Promise<void> {
  const { outgoing } = exchange;
  if (outgoing.destroyed) return;
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(reply.headers ?? {})) headers[name] = typeof value === 'string' ? value : [...value];

  if (exchange.method === 'HEAD' || reply.body.kind === 'none') {
    if (reply.body.kind === 'bytes') headers['content-length'] = String(reply.body.bytes.length);
    outgoing.writeHead(reply.code, headers);
    outgoing.end();
    return;
  }
  const compressed = bodyLength(reply.body) > compressionThreshold && acceptsGzip(exchange);
  if (compressed) {
    headers['content-encoding'] = 'gzip';
    headers['vary'] = headers['vary'] === undefined ? 'Accept-Encoding' : `${String(headers['vary'])}, Accept-Encoding`;
  }
  switch (reply.body.kind) {
    case 'bytes': {
      const bytes = compressed ? await gzip(reply.body.bytes, { level: 1 }) : reply.body.bytes;
      headers['content-length'] = String(bytes.length);
      outgoing.writeHead(reply.code, headers);
      outgoing.end(bytes);
      return;
    }
    case 'stream': {
      const { plain, gzip, length, exact } = reply.body;
      // Of a known length, HTTP/1.1 sends the chunks as they are; otherwise it copies each between two lines of its own.
      if (exact && !compressed) headers['content-length'] = String(length);
      outgoing.writeHead(reply.code, headers);
      const chunks = compressed ? gzip() : plain(Buffer.allocUnsafeSlow(chunkSize));
      for await (const chunk of chunks) await writeFlushed(outgoing, chunk, options.signal);
      outgoing.end();
      return;
    }
    case 'live': {
      outgoing.writeHead(reply.code, headers);
      outgoing.flushHeaders();
      await eachUntilAborted(reply.body.chunks, options.signal, (chunk) => writeLiveChunk(outgoing, chunk, options));
      outgoing.end();
      return;
    }
    case 'feed': {
      outgoing.writeHead(reply.code, headers);
      outgoing.flushHeaders();
      using feed = await reply.body.open();
      await writeFeed(outgoing, feed, options);
      outgoing.end();
    }
  }
}

function bodyLength(body: ReplyBody): number {
  return body.kind === 'bytes' ? body.bytes.length : body.kind === 'stream' ? body.length : 0;
}

function acceptsGzip(exchange: Exchange): boolean {
  return (exchange.header('accept-encoding') ?? '').split(',').some((entry) => {
    const [coding, quality] = entry.trim().split(';');
    return coding?.trim() === 'gzip' && !/^\s*q=0(\.0*)?\s*$/.test(quality ?? '');
  });
}

async function eachUntilAborted<T>(items: AsyncIterable<T>, signal: AbortSignal, use: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (let next = await nextOrAborted(iterator, signal); next.done !== true; next = await nextOrAborted(iterator, signal)) {
      await use(next.value);
    }
  } catch (error) {
    iterator.return?.().catch(() => undefined);
    throw error;
  }
}

/** Does not wait for a producer that never notices that nobody listens any more. */
function nextOrAborted<T>(iterator: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T, unknown>> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason ?? clientGone());
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}

async function writeLiveChunk(outgoing: Outgoing, chunk: Uint8Array, { clock, signal }: WriteOptions): Promise<void> {
  const stalled = new AbortController();
  const both = AbortSignal.any([signal, stalled.signal]);
  using _timer = clock.after(stallTimeoutMs, () => stalled.abort(new ArcError('SlowConsumer', 'the client does not read its watch')));
  await writeChunk(outgoing, chunk, both);
}

/** Writes one chunk and, when the connection is full, waits until it has drained. */
function writeChunk(outgoing: Outgoing, chunk: Uint8Array, signal: AbortSignal): Promise<void> | undefined {
  if (outgoing.destroyed || signal.aborted) throw signal.aborted ? signal.reason : clientGone();
  return outgoing.write(chunk) ? undefined : drained(outgoing, signal);
}

/**
 * Writes one chunk and waits until the connection has taken it, also when there is room for more: what is there at once
 * would otherwise be written without others having their turn, and the chunk's memory could not be used again.
 */
function writeFlushed(outgoing: Outgoing, chunk: Uint8Array, signal: AbortSignal): Promise<void> {
  if (outgoing.destroyed || signal.aborted) throw signal.aborted ? signal.reason : clientGone();
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      outgoing.off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      if (error === undefined || error === null) resolve();
      else reject(error);
    };
    const onClose = (): void => settle(clientGone());
    const onAbort = (): void => settle(signal.reason ?? clientGone());
    outgoing.on('close', onClose);
    signal.addEventListener('abort', onAbort);
    outgoing.write(chunk, settle);
  });
}

function drained(outgoing: Outgoing, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      outgoing.off('drain', onDrain);
      outgoing.off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onDrain = (): void => settle();
    const onClose = (): void => settle(clientGone());
    const onAbort = (): void => settle(signal.reason ?? clientGone());
    outgoing.on('drain', onDrain);
    outgoing.on('close', onClose);
    signal.addEventListener('abort', onAbort);
  });
}
