import type { IncomingHttpHeaders } from 'node:http';

/** An answer whose headers have arrived, over either version of HTTP. Its body is read to the end, or it is destroyed. */
export interface Answer extends AsyncIterable<Uint8Array> {
  readonly statusCode?: number | undefined;
  /** HTTP/2 has none. */
  readonly statusMessage?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  destroy(error?: Error): unknown;
}
