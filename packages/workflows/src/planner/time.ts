/** RFC 3339 in UTC with whole seconds, as Kubernetes writes times. */
export function timestamp(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/**
 * The point `ms` milliseconds after a time of a status. Those hold whole seconds only, cut off, so the rest of the second
 * is added: a deadline must never come early.
 */
export function deadlineAfter(start: string | undefined, ms: number, now: number): number {
  return Math.floor(timeOf(start, now) / 1000) * 1000 + 999 + ms;
}

/** Milliseconds since the epoch of a time in a status; `otherwise` when there is none. */
export function timeOf(text: string | undefined, otherwise: number): number {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? otherwise : ms;
}
