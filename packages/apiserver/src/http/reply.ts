export type ReplyHeaders = Readonly<Record<string, string | readonly string[]>>;

export type ReplyBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Produced on demand, as fast as the client reads. */
  | StreamBody
  /** Headers and every chunk are sent at once; a client that does not read for long is cut off. */
  | { readonly kind: 'live'; readonly chunks: AsyncIterable<Uint8Array> }
  /** The same, from a feed that is opened after the headers have been sent, and disposed at the end. */
  | { readonly kind: 'feed'; readonly open: () => Promise<LiveFeed> };

/**
 * What a live answer sends, without a promise for each part of it: a thousand of them are told in the same turn of the event
 * loop that there is something to send.
 */
export interface LiveFeed extends Disposable {
  /** The next bytes to send; undefined when there are none at the moment. */
  next(): Uint8Array | undefined;
  /** After what `next` still gives, nothing will come. */
  readonly ended: boolean;
  /** Has `ready` called when `next` may give something again, and when the feed has ended. */
  onReady(ready: () => void): void;
}

interface StreamBody {
  readonly kind: 'stream';
  /** Each chunk may be made in `scratch`, and is then valid only until the next one is asked for. */
  readonly plain: (scratch: Uint8Array) => Iterable<Uint8Array>;
  /** The same as one gzip member. */
  readonly gzip: () => AsyncIterable<Uint8Array>;
  /** Bytes of `plain`, roughly unless `exact`; decides about compression. */
  readonly length: number;
  readonly exact: boolean;
}

/** What a handler answers; the pipeline writes it. */
export interface Reply {
  readonly code: number;
  readonly headers?: ReplyHeaders;
  readonly body: ReplyBody;
}

export function bytesReply(code: number, contentType: string, body: string | Uint8Array, headers: ReplyHeaders = {}): Reply {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return { code, headers: { 'content-type': contentType, ...headers }, body: { kind: 'bytes', bytes } };
}

export function jsonReply(code: number, value: unknown, headers: ReplyHeaders = {}): Reply {
  return bytesReply(code, 'application/json', `${JSON.stringify(value)}\n`, headers);
}

export function textReply(code: number, text: string, headers: ReplyHeaders = {}): Reply {
  return bytesReply(code, 'text/plain; charset=utf-8', text, { 'x-content-type-options': 'nosniff', ...headers });
}
