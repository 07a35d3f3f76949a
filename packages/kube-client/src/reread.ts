import type { Clock } from '@arc/kernel';

/** Tokens are rotated long before they expire. */
const keptMs = 60_000;

/**
 * A token that is read from its file again once a minute.
 *
 * @param read throws what callers are to see when the file cannot be read
 */
export function tokenReader(read: () => Promise<string>, clock: Clock): () => Promise<string> {
  let kept: { readonly token: string; readonly until: number } | undefined;
  return async () => {
    if (kept !== undefined && clock.monotonic() < kept.until) return kept.token;
    const token = (await read()).trim();
    kept = { token, until: clock.monotonic() + keptMs };
    return token;
  };
}
