export interface BackoffOptions {
  /** Delay before the first retry, milliseconds. */
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor?: number;
  /** 0 = none, 1 = "full jitter": a uniformly random delay between 0 and the computed one. */
  readonly jitter?: number;
  readonly random?: () => number;
}

/** Returns the delay in milliseconds before retry number `attempt` (0 = first retry). */
export function backoffDelay(attempt: number, options: BackoffOptions): number {
  const { initialMs, maxMs, factor = 2, jitter = 0, random = Math.random } = options;
  const full = Math.min(maxMs, initialMs * factor ** Math.min(attempt, 60));
  return full * (1 - jitter) + full * jitter * random();
}
