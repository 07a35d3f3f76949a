import { createArcControllers } from '@arc/arc-controllers';
import type { ArcControllersOptions } from '@arc/arc-controllers';
import { startControllers } from '@arc/controller';
import type { ControllerMetrics } from '@arc/controller';
import { orAborted, whenAborted } from '@arc/kernel';
import type { Clock, Logger } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';
import type { ProgramHealth } from './health.ts';

interface LeadParts {
  readonly client: KubeClient;
  readonly digestKey: Uint8Array;
  /** Settings of ARC's controllers. */
  readonly arc: Pick<ArcControllersOptions, 'metrics' | 'limits' | 'handOver' | 'kueue' | 'endpointProbe' | 'endpointProbeTtlMs'>;
  readonly metrics: ControllerMetrics;
  readonly health: Pick<ProgramHealth, 'begun' | 'settled'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Runs the controllers until the signal aborts, then waits for the reconciles in progress and the events under way. */
export async function lead({ client, digestKey, arc, metrics, health, clock, logger }: LeadParts, signal: AbortSignal): Promise<void> {
  health.begun();
  await using running = new AsyncDisposableStack();
  const { definitions } = running.use(
    createArcControllers({ ...arc, client, digestKey, clock, logger: logger.child({ component: 'arc' }) }),
  );
  const controllers = running.use(startControllers(definitions, { clock, metrics, logger: logger.child({ component: 'controllers' }) }));
  await orAborted(controllers.ready, signal);
  health.settled();
  logger.info('controllers work');
  await whenAborted(signal);
}
