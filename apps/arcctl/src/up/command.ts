import { exitCodes } from '@arc/cli-kit';
import type { ExitCode, Streams } from '@arc/cli-kit';
import { lineLogger, systemClock, whenAborted } from '@arc/kernel';
import type { UpOptions } from '../up-options.ts';
import { startEmbedded } from './embedded.ts';
import { settleMemory } from './settle-memory.ts';

/** Not at once: a first request is answered before. */
const settleAfterMs = 1000;

/**
 * Runs ARC until the signal aborts, then shuts down cleanly. Prints one line on stdout when everything is ready.
 *
 * @throws ArcError when it cannot start; nothing is left running then
 */
export async function runUp(options: UpOptions, streams: Streams): Promise<ExitCode> {
  const logger = lineLogger((line) => streams.stderr.write(line), { level: options.logLevel });
  await using embedded = await startEmbedded(options, { logger, clock: systemClock });
  if (!options.signal.aborted) streams.stdout.write(`ARC is ready at ${embedded.server}, kubeconfig ${embedded.kubeconfig}\n`);
  using _settling = systemClock.after(settleAfterMs, settleMemory);
  await Promise.race([whenAborted(options.signal), embedded.failed]);
  return exitCodes.ok;
}
