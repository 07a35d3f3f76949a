import { setImmediate as nextTurn } from 'node:timers/promises';

/** Lets signals and timers in between calls that keep the thread, so that those can be given up. */
export async function turn(signal: AbortSignal): Promise<void> {
  await nextTurn();
  signal.throwIfAborted();
}
