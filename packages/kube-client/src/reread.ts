import type { Clock } from '@arc/kernel';

/** Tokens and authorities are replaced long before they expire. */
const keptMs = 60_000;

/**
 * What a file says that may be replaced at any time: read when it is asked for, and again once a minute.
 *
 * @param read throws what callers are to see when the file cannot be read
 */
export function rereading(read: () => Promise<string>, clock: Clock): () => Promise<string> {
  let kept: { readonly text: string; readonly until: number } | undefined;
  return async () => {
    if (kept !== undefined && clock.monotonic() < kept.until) return kept.text;
    const text = (await read()).trim();
    kept = { text, until: clock.monotonic() + keptMs };
    return text;
  };
}
