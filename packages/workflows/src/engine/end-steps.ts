import type { Logger } from '@arc/kernel';
import { messageOf, silentLogger } from '@arc/kernel';
import type { Runner } from '../runner/runner.ts';

export interface EndStepsOptions {
  /** Shown to whoever looks at a step that was ended. */
  readonly message: string;
  /** Another server runs the steps now: whatever they came to here counts no longer. */
  readonly forget: boolean;
  readonly logger?: Logger;
}

/**
 * Ends every step of this host while no engine runs with its runner, survivors of an earlier process too. Those that were
 * not forgotten run again when an engine is back. Resolves with how many were running when nothing of them is alive.
 */
export async function endSteps(runner: Runner, { message, forget, logger = silentLogger }: EndStepsOptions): Promise<number> {
  let ended = 0;
  const ids = await runner.recover();
  await Promise.all(
    ids.map(async (id) => {
      try {
        if ((await runner.observe(id)).state === 'running') ended += 1;
        await runner.stop(id, { phase: 'Pending', message });
        if (forget) await runner.release(id);
      } catch (error) {
        logger.error('a step could not be ended', { nodeId: id.nodeId, error: messageOf(error) });
      }
    }),
  );
  return ended;
}
