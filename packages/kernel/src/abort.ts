/** Returns a signal that aborts when any of the given ones does; undefined entries are ignored. */
export function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  const present = signals.filter((signal) => signal !== undefined);
  return present.length === 1 && present[0] !== undefined ? present[0] : AbortSignal.any(present);
}

/** True when `thrown` is only the echo of `signal` having been aborted. */
export function isAbort(thrown: unknown, signal?: AbortSignal): boolean {
  if (signal?.aborted === true) return true;
  return thrown instanceof Error && (thrown.name === 'AbortError' || ('code' in thrown && thrown.code === 'ABORT_ERR'));
}

/** Resolves once `signal` has aborted; never rejects. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
