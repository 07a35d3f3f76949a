import { isStatusReason } from '@arc/apimachinery';
import type { Clock, Logger } from '@arc/kernel';
import { ArcError, isAbort, messageOf, silentLogger, systemClock, TerminalError } from '@arc/kernel';
import type { ControllerDefinition, ControllerSource } from './controller.ts';
import type { ReconcileRequest } from './reconcile.ts';
import { WorkQueue } from './work-queue.ts';

/**
 * How a reconcile ended: `success`, `requeue` (it asked to be called again), `error` (retried with backoff), `terminal`
 * (not retried).
 */
export type ReconcileOutcome = 'success' | 'requeue' | 'error' | 'terminal';

/** Where controllers count. */
export interface ControllerMetrics {
  reconciled(controller: string, outcome: ReconcileOutcome, durationMs: number): void;
  /** Requests waiting for a worker, told whenever one is taken. */
  queueDepth(controller: string, depth: number): void;
}

export interface RunControllerOptions {
  readonly signal: AbortSignal;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly metrics?: ControllerMetrics;
  /** Called when the informers have synced and the workers have started. */
  readonly onReady?: () => void;
}

/**
 * Runs a controller until the signal aborts: waits for its informers, which somebody else runs, then reconciles. Ends
 * when the last reconcile in progress has returned; what a reconciler throws never gets out.
 */
export async function runController(definition: ControllerDefinition, options: RunControllerOptions): Promise<void> {
  const { signal, clock = systemClock, random, metrics } = options;
  const logger = (options.logger ?? silentLogger).child({ controller: definition.name });
  using queue = new WorkQueue({ clock, ...(random !== undefined && { random }) });
  const onAbort = (): void => queue[Symbol.dispose]();
  if (signal.aborted) return;
  signal.addEventListener('abort', onAbort, { once: true });

  for (const source of definition.sources) connect(source, queue);
  try {
    await Promise.all(definition.sources.map((source) => source.informer.synced(signal)));
  } catch (error) {
    if (isAbort(error, signal)) return;
    throw error;
  }
  logger.debug('controller started');
  options.onReady?.();
  await Promise.all(Array.from({ length: Math.max(1, definition.workers ?? 4) }, work));
  signal.removeEventListener('abort', onAbort);

  async function work(): Promise<void> {
    for (let request = await queue.take(); request !== undefined; request = await queue.take()) {
      metrics?.queueDepth(definition.name, queue.depth);
      const begun = clock.monotonic();
      const outcome = await reconcile(request);
      queue.done(request);
      metrics?.reconciled(definition.name, outcome, clock.monotonic() - begun);
    }
  }

  async function reconcile(request: ReconcileRequest): Promise<ReconcileOutcome> {
    try {
      const result = await definition.reconcile(request, signal);
      queue.forget(request);
      if (result?.requeueAfterMs === undefined) return 'success';
      queue.addAfter(request, result.requeueAfterMs);
      return 'requeue';
    } catch (error) {
      if (signal.aborted) return 'error';
      if (error instanceof TerminalError) {
        queue.forget(request);
        logger.error('reconcile failed for good, waiting for a change', describe(request, error));
        return 'terminal';
      }
      // Somebody else was faster: the normal course of optimistic locking, not worth a warning.
      const level = isStatusReason(error, 'Conflict') ? 'debug' : 'warn';
      queue.addRateLimited(request);
      logger[level]('reconcile failed, trying again', { ...describe(request, error), failures: queue.failures(request) });
      return 'error';
    }
  }
}

function connect({ informer, requests, changed, delayMs = 0 }: ControllerSource, queue: WorkQueue): void {
  const enqueue = (object: Parameters<NonNullable<typeof requests>>[0]): void => {
    const { namespace, name = '' } = object.metadata;
    const wanted = requests?.(object) ?? [{ name, ...(namespace !== undefined && { namespace }) }];
    for (const request of wanted) queue.addAfter(request, delayMs);
  };
  informer.addHandler({
    added: enqueue,
    updated: (object, old) => {
      if (changed !== undefined && !changed(object, old)) return;
      enqueue(object);
      if (requests !== undefined) enqueue(old);
    },
    deleted: enqueue,
  });
}

function describe(request: ReconcileRequest, error: unknown): Record<string, unknown> {
  return {
    namespace: request.namespace,
    name: request.name,
    error: messageOf(error),
    ...(error instanceof ArcError ? { code: error.code } : error instanceof Error && { stack: error.stack }),
  };
}
