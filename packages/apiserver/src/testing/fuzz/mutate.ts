import type { Random } from './random.ts';
import { tokens } from './vocabulary.ts';

/** The text with bytes changed, cut or doubled, or with some of its values replaced. */
export function mutated(text: string, { next, pick, chance }: Random): Uint8Array {
  const bytes = Buffer.from(text);
  if (bytes.length === 0) return bytes;
  const at = Math.floor(next() * bytes.length);
  switch (Math.floor(next() * 6)) {
    case 0:
      bytes[at] = Math.floor(next() * 256);
      return bytes;
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes]);
    default:
      // Still JSON or YAML: what is wrong is found by what comes after the decoder.
      return Buffer.from(text.replaceAll(/"[^"]*"|\d+/g, (token) => (chance(0.1) ? pick(tokens) : token)));
  }
}
