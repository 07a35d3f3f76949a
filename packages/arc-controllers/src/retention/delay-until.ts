/** Timers of the host overflow after 24.8 days and fire at once; looking again once a day costs nothing. */
const maxDelayMs = 24 * 3_600_000;

/** How long to wait for the first of some moments (milliseconds since the epoch); undefined when there is none. */
export function delayUntil(now: number, moments: Iterable<number | undefined>): number | undefined {
  let first: number | undefined;
  for (const moment of moments) {
    if (moment !== undefined && (first === undefined || moment < first)) first = moment;
  }
  return first === undefined ? undefined : Math.min(maxDelayMs, Math.max(0, first - now));
}
