import { malformedBytes } from './malformed-bytes.ts';
import { nonsense } from './nonsense.ts';
import { purposeful } from './purposeful.ts';
import type { Random } from './random.ts';

/** What a client wants to send. */
export interface FuzzDraft {
  /** What it is for, by which answers are counted. */
  readonly intent: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

/** One request as raw as a client can send it. */
export interface FuzzRequest extends FuzzDraft {
  /** Over one of the HTTP versions; over HTTP/2 and given up half-way; or as `bytes` that are not quite HTTP/1.1. */
  readonly by: 'http1' | 'http2' | 'http2-reset' | 'bytes';
  readonly bytes?: Uint8Array;
}

/** The next request. Most mean something and get as far as decoders, patches, selectors and the store; some are nonsense. */
export function fuzzRequest(random: Random): FuzzRequest {
  const draft = random.chance(0.1) ? nonsense(random) : purposeful(random);
  const by = random.next();
  if (by < 0.03) return { ...draft, intent: 'malformed HTTP', by: 'bytes', bytes: malformedBytes(draft, random) };
  if (by < 0.06) return { ...draft, intent: 'given up', by: 'http2-reset' };
  return { ...draft, by: by < 0.5 ? 'http2' : 'http1' };
}
