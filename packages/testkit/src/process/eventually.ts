import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
  /** Named in the error when time runs out. */
  readonly what: string;
}

/**
 * Calls `probe` until it returns something else than undefined or false, and returns that. Errors of the probe count as "not yet";
 * the last one is the cause of the final error.
 */
export async function eventually<T>(
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  options: EventuallyOptions,
): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 30_000);
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) throw new Error(`timed out waiting for ${options.what}`, { cause: last });
    await delay(options.intervalMs ?? 50);
  }
}
