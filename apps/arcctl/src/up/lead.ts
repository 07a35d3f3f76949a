import { createArcControllers } from '@arc/arc-controllers';
import type { ArcControllersOptions } from '@arc/arc-controllers';
import { isLeaseLost, startControllers } from '@arc/controller';
import type { ControllerMetrics } from '@arc/controller';
import { orAborted, whenAborted } from '@arc/kernel';
import type { Clock, Logger } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';
import type { StandaloneServer } from '@arc/standalone';
import { createWorkflowEngine } from '@arc/workflows';
import type { LogStore, RunOptions, Runner, WorkflowEngine } from '@arc/workflows';

/** What controllers and engine need, whoever decides when they run. */
export interface LeadParts {
  readonly server: Pick<StandaloneServer, 'startControllers'>;
  readonly client: KubeClient;
  /** Settings of ARC's controllers. */
  readonly arc: Pick<ArcControllersOptions, 'metrics' | 'endpointProbe' | 'endpointProbeTtlMs'>;
  readonly runner: Runner;
  readonly logs: LogStore;
  readonly metrics: ControllerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** This server among those that share its storage. */
  readonly site?: string;
}

/**
 * Runs the controllers and the engine until the signal aborts, then ends them in reverse: the engine ends its steps first.
 * When a lease was lost the steps stay, for they may be nobody else's yet.
 *
 * @throws when a part has failed beyond repair
 */
export async function lead(
  parts: LeadParts,
  signal: AbortSignal,
  { digestKey, onReady }: { readonly digestKey: Uint8Array; readonly onReady: () => void },
): Promise<void> {
  const { server, client, runner, logs, metrics, clock, logger, site } = parts;
  await using running = new AsyncDisposableStack();
  await orAborted(running.use(server.startControllers()).ready, signal);
  const arc = running.use(createArcControllers({ ...parts.arc, client, digestKey, clock, logger: logger.child({ component: 'arc' }) }));
  const controllers = running.use(
    startControllers(arc.definitions, { clock, logger: logger.child({ component: 'controllers' }), metrics }),
  );
  const engineOptions = { client, runner, logs, clock, logger: logger.child({ component: 'engine' }) };
  const engine = running.use(
    startEngine(createWorkflowEngine({ ...engineOptions, ...(site !== undefined && { site }) }), {
      leavesSteps: () => isLeaseLost(signal.reason),
    }),
  );
  await orAborted(Promise.race([Promise.all([engine.ready, controllers.ready]), engine.failed]), signal);
  onReady();
  await Promise.race([whenAborted(signal), engine.failed]);
}

interface RunningEngine extends AsyncDisposable {
  readonly ready: Promise<void>;
  /** Rejects when the engine has failed; never resolves. */
  readonly failed: Promise<never>;
}

/** Disposing asks the engine to end its steps and waits until it has. */
function startEngine(engine: WorkflowEngine, options: Pick<RunOptions, 'leavesSteps'>): RunningEngine {
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  const run = engine.run(stop.signal, { ...options, onReady: ready.resolve });
  run.catch(failure.reject);
  return {
    ready: ready.promise,
    failed: failure.promise,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.allSettled([run]);
    },
  };
}
