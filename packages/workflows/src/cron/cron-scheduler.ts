import type { CronWorkflow, Workflow } from '@arc/api/argo';
import { cronWorkflows } from '@arc/api/argo';
import { isStatusReason } from '@arc/apimachinery';
import type { ReconcileRequest } from '@arc/controller';
import { WorkQueue } from '@arc/controller';
import type { Clock, Logger } from '@arc/kernel';
import { messageOf, whenAborted } from '@arc/kernel';
import type { Informer, KubeClient } from '@arc/kube-client';
import { createInformer } from '@arc/kube-client';
import { isCompleted } from '../planner/plan.ts';
import { reconcileCron } from './reconcile-cron.ts';
import type { CronContext } from './reconcile-cron.ts';

export interface CronSchedulerOptions {
  readonly client: KubeClient;
  /** With the index `cronWorkflow` by the uid of the controlling CronWorkflow; run by somebody else. */
  readonly workflows: Informer<Workflow>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface CronScheduler {
  /** Starts Workflows when they are due, until the signal aborts. Runs once. */
  run(signal: AbortSignal, options?: { readonly onReady?: () => void }): Promise<void>;
}

/** How soon a clock that was set is noticed. */
const lookAtClockMs = 10_000;
const clockToleranceMs = 1000;
const workers = 2;

/** The uid a Workflow of a CronWorkflow is found by. */
export function cronWorkflowOf(workflow: Workflow): readonly string[] {
  const owner = workflow.metadata.ownerReferences?.find(({ controller, kind }) => controller === true && kind === cronWorkflows.kind);
  return owner === undefined ? [] : [owner.uid];
}

/** Returns what starts the Workflows of CronWorkflows, as Argo's controller does. */
export function createCronScheduler({ client, workflows, clock, logger }: CronSchedulerOptions): CronScheduler {
  const informer = createInformer<CronWorkflow>(client, cronWorkflows, { logger, clock });

  async function run(signal: AbortSignal, { onReady }: { readonly onReady?: () => void } = {}): Promise<void> {
    if (signal.aborted) return;
    using queue = new WorkQueue({ clock, maxDelayMs: 30_000 });
    const context: CronContext = { client, workflows, clock, logger, watches: new Map() };
    connect(queue);
    const watching = informer.run(signal);
    try {
      await Promise.all([informer.synced(signal), workflows.synced(signal)]);
    } catch (error) {
      if (!signal.aborted) throw error;
      await watching;
      return;
    }
    onReady?.();
    using _looking = watchClock(() => {
      for (const cron of informer.list()) queue.add(requestOf(cron));
    });
    const working = Array.from({ length: workers }, () => work(queue, context, signal));
    await whenAborted(signal);
    queue[Symbol.dispose]();
    await Promise.all([...working, watching]);
  }

  function connect(queue: WorkQueue): void {
    const add = (cron: CronWorkflow): void => queue.add(requestOf(cron));
    informer.addHandler({ added: add, updated: add, deleted: add });
    const ownerOf = (workflow: Workflow): void => {
      const { namespace = '', ownerReferences } = workflow.metadata;
      const owner = ownerReferences?.find(({ controller, kind }) => controller === true && kind === cronWorkflows.kind);
      if (owner !== undefined) queue.add({ namespace, name: owner.name });
    };
    workflows.addHandler({
      added: ownerOf,
      updated: (workflow, old) => {
        if (isCompleted(workflow.status?.phase) !== isCompleted(old.status?.phase)) ownerOf(workflow);
      },
      deleted: ownerOf,
    });
  }

  /** Timers do not notice when somebody sets the time of day; what is due by the new time has to be. */
  function watchClock(onJump: () => void): Disposable {
    let ahead = clock.now() - clock.monotonic();
    let timer: Disposable | undefined;
    const look = (): void => {
      const before = ahead;
      ahead = clock.now() - clock.monotonic();
      if (Math.abs(ahead - before) > clockToleranceMs) {
        logger.info('the clock was set, schedules are looked at again', { byMs: Math.round(ahead - before) });
        onJump();
      }
      timer = clock.after(lookAtClockMs, look);
    };
    timer = clock.after(lookAtClockMs, look);
    return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() };
  }

  async function work(queue: WorkQueue, context: CronContext, signal: AbortSignal): Promise<void> {
    for (let request = await queue.take(); request !== undefined; request = await queue.take()) {
      try {
        const result = await reconcileCron(context, request, signal);
        queue.forget(request);
        if (result?.requeueAfterMs !== undefined) queue.addAfter(request, result.requeueAfterMs);
      } catch (error) {
        if (!signal.aborted) {
          const level = isStatusReason(error, 'Conflict') ? 'debug' : 'warn';
          logger[level]('a CronWorkflow could not be worked on, trying again', { ...request, error: messageOf(error) });
          queue.addRateLimited(request);
        }
      } finally {
        queue.done(request);
      }
    }
  }

  return { run };
}

function requestOf({ metadata }: CronWorkflow): ReconcileRequest {
  const { namespace, name = '' } = metadata;
  return { name, ...(namespace !== undefined && { namespace }) };
}
