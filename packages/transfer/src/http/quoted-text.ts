import type { WireResponse } from './wire.ts';

/** Most that is read of an answer that is an error, bytes. */
const beginningLimit = 64 * 1024;

/** Text from outside fit to be quoted in one line: what could draw on a terminal and what looks like a secret removed, at most `limit` characters. */
export function quotable(text: string, limit: number): string {
  return text
    .replace(/[\s\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .replace(/\b(basic|bearer) [A-Za-z0-9+/=._~-]{6,}/gi, '$1 …')
    .replace(/\b((?:x-amz-[a-z-]+|sig|signature|token|password|_state)=)[^&\s"']+/gi, '$1…')
    .trim()
    .slice(0, limit);
}

/** The beginning of a body; what arrived of it where the connection breaks, since the status counts all the same. */
export async function readBeginning({ body }: WireResponse): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > beginningLimit) break;
    }
  } catch {
    // What the server had to say about its refusal is lost.
  }
  return Buffer.concat(chunks).toString('utf8');
}
