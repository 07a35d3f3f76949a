import { availableParallelism } from 'node:os';
import type { Workflow } from '@arc/api/argo';
import { instanceIdLabel, workflows } from '@arc/api/argo';
import { pods } from '@arc/api/core';
import type { Pod } from '@arc/api/core';
import type { ReconcileRequest } from '@arc/controller';
import { WorkQueue } from '@arc/controller';
import type { Clock, Logger } from '@arc/kernel';
import { isAbort, messageOf, silentLogger, systemClock, TerminalError, whenAborted } from '@arc/kernel';
import type { Informer, KubeClient } from '@arc/kube-client';
import { createInformer } from '@arc/kube-client';
import { createCronScheduler, cronWorkflowOf } from '../cron/cron-scheduler.ts';
import type { LogStore } from '../logs/log-store.ts';
import type { AttemptId, Runner } from '../runner/runner.ts';
import { nodeIdAnnotation, workflowLabel } from './labels.ts';
import { leanWorkflow } from './lean-workflow.ts';
import { PodMirror } from './pod-mirror.ts';
import { Slots } from './slots.ts';
import { WorkflowCache } from './workflow-cache.ts';
import { requestOf, runWorkflow } from './workflow-run.ts';
import type { RunContext } from './workflow-run.ts';

export interface WorkflowEngineOptions {
  readonly client: KubeClient;
  /** Not yet recovered; the engine does that. */
  readonly runner: Runner;
  /** Swept by the engine. */
  readonly logs?: LogStore;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly limits?: {
    /** Steps that run at once over all Workflows. Default: four times the processors, at least 8. */
    readonly maxRunningPods?: number;
  };
  /** Workflows worked on at once. Default 8. */
  readonly workers?: number;
  /**
   * Where the volumes of Workflows are, when engines in several places share the API: a Workflow that has left something in a
   * volume elsewhere ends as an Error instead of going on without it.
   */
  readonly site?: string;
}

export interface RunOptions {
  readonly onReady?: () => void;
  /**
   * Asked on the way out. True: steps are left running, and nothing is recorded, for this or another engine with the same
   * runner to take over. Default: false.
   */
  readonly leavesSteps?: () => boolean;
}

export interface WorkflowEngine {
  /**
   * Runs Workflows, and starts those of CronWorkflows, until the signal aborts. First takes over or ends what an earlier engine left running. On the way out
   * every running step is asked to end, killed after its grace period, and recorded so that the next engine runs it
   * again; the server behind the client must still be there for that. Runs once.
   */
  run(signal: AbortSignal, options?: RunOptions): Promise<void>;
}

const sweepEveryMs = 3_600_000;
const closingWriteMs = 5000;
const interrupted = {
  phase: 'Pending',
  message: 'interrupted when the engine was stopped; it runs again when the engine is back',
} as const;

/** Returns the engine that runs Workflows of the API with a runner of this host. */
export function createWorkflowEngine(options: WorkflowEngineOptions): WorkflowEngine {
  const { client, runner, logs, clock = systemClock, logger = silentLogger, limits = {}, workers = 8, site } = options;
  const informer = createInformer<Workflow>(client, workflows, {
    logger,
    clock,
    transform: leanWorkflow,
    indexes: { cronWorkflow: cronWorkflowOf },
  });
  const podInformer = createInformer<Pod>(client, pods, { labelSelector: workflowLabel, metadataOnly: true, logger, clock });
  const scheduler = createCronScheduler({ client, workflows: informer, clock, logger: logger.child({ part: 'cron' }) });
  const requests = new Map<string, ReconcileRequest>();
  let closing = false;

  async function run(signal: AbortSignal, { onReady, leavesSteps = () => false }: RunOptions = {}): Promise<void> {
    using queue = new WorkQueue({ clock, maxDelayMs: 30_000 });
    const context = contextFor(queue);
    using _changes = runner.onChange((id) => {
      const request = requests.get(id.workflowUid);
      if (request !== undefined) queue.add(request);
    });
    const recovered = await runner.recover();
    if (recovered.length > 0) logger.info('steps of an earlier run were found', { count: recovered.length });
    connect(informer, podInformer, context);
    const background = new AbortController();
    const watching = [informer.run(background.signal), podInformer.run(background.signal)];
    try {
      await Promise.all([informer.synced(signal), podInformer.synced(signal)]);
      await endOrphans(recovered);
      using _sweeping = sweepLogs();
      const ready = Promise.withResolvers<void>();
      const scheduling = scheduler.run(signal, { onReady: ready.resolve });
      await Promise.race([ready.promise, scheduling]);
      onReady?.();
      const working = Array.from({ length: workers }, () => work(queue, context, signal));
      await whenAborted(signal);
      queue[Symbol.dispose]();
      await Promise.all([...working, scheduling]);
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    } finally {
      closing = true;
      if (!leavesSteps()) await interruptSteps(context);
      background.abort();
      await Promise.allSettled(watching);
    }
  }

  function contextFor(queue: WorkQueue): RunContext {
    const enqueue = (request: ReconcileRequest): void => queue.add(request);
    return {
      client,
      runner,
      cache: new WorkflowCache(informer),
      slots: new Slots(limits.maxRunningPods ?? Math.max(8, 4 * availableParallelism()), enqueue),
      pods: new PodMirror(client, { clock, logger }),
      clock,
      logger,
      failedStarts: new Map(),
      site,
      enqueue,
      isClosing: () => closing,
    };
  }

  function connect(workflowInformer: Informer<Workflow>, podsOfSteps: Informer<Pod>, context: RunContext): void {
    const changed = (workflow: Workflow): void => {
      if (workflow.metadata.labels?.[instanceIdLabel] !== undefined) return;
      requests.set(workflow.metadata.uid ?? '', requestOf(workflow));
      if (!context.cache.takeEcho(workflow)) context.enqueue(requestOf(workflow));
    };
    workflowInformer.addHandler({
      added: changed,
      updated: changed,
      deleted(workflow) {
        context.cache.forget(requestOf(workflow));
        requests.delete(workflow.metadata.uid ?? '');
        void forgetWorkflow(workflow.metadata.uid ?? '');
      },
    });
    podsOfSteps.addHandler({
      updated: (pod) => {
        if (pod.metadata.deletionTimestamp !== undefined) podDeleted(pod);
      },
      deleted: podDeleted,
    });
  }

  /** Deleting the Pod of a step ends the step. Pods that go with their Workflow find nothing left to end. */
  function podDeleted(pod: Pod): void {
    const workflowUid = pod.metadata.ownerReferences?.find((owner) => owner.kind === 'Workflow')?.uid;
    const nodeId = pod.metadata.annotations?.[nodeIdAnnotation];
    if (workflowUid === undefined || nodeId === undefined) return;
    endStep({ workflowUid, nodeId }, 'pod deleted');
  }

  function endStep(id: AttemptId, message: string): void {
    runner.stop(id, { phase: 'Error', message }).catch((error: unknown) => {
      logger.error('a step could not be stopped', { nodeId: id.nodeId, error: messageOf(error) });
    });
  }

  /** A Workflow that is gone keeps no processes and no files, whoever removed its finalizer. */
  async function forgetWorkflow(uid: string): Promise<void> {
    try {
      for (const id of runner.known(uid)) {
        await runner.stop(id, { phase: 'Error', message: 'workflow deleted' });
        await runner.release(id);
      }
      await runner.removeClaims(uid);
    } catch (error) {
      logger.error('the remains of a workflow could not be removed', { uid, error: messageOf(error) });
    }
  }

  async function endOrphans(recovered: readonly AttemptId[]): Promise<void> {
    const uids = new Set(recovered.map((id) => id.workflowUid).filter((uid) => !requests.has(uid)));
    await Promise.all([...uids].map(forgetWorkflow));
    await runner.prune((uid) => requests.has(uid));
  }

  async function work(queue: WorkQueue, context: RunContext, signal: AbortSignal): Promise<void> {
    for (let request = await queue.take(); request !== undefined; request = await queue.take()) {
      try {
        const result = await runWorkflow(context, request, signal);
        queue.forget(request);
        if (result?.requeueAfterMs !== undefined) queue.addAfter(request, result.requeueAfterMs);
      } catch (error) {
        if (!signal.aborted) {
          logger.warn('a workflow could not be worked on, trying again', { ...request, error: messageOf(error) });
          if (!(error instanceof TerminalError)) queue.addRateLimited(request);
        }
      } finally {
        context.slots.lookedAt(request);
        queue.done(request);
      }
    }
  }

  /** Ends every running step and records that it was interrupted. What cannot be written is found by the next engine. */
  async function interruptSteps(context: RunContext): Promise<void> {
    const affected = [...requests].filter(([uid]) => runner.known(uid).length > 0);
    const ids = affected.flatMap(([uid]) => runner.known(uid));
    await Promise.allSettled(ids.map((id) => runner.stop(id, interrupted)));
    const signal = AbortSignal.timeout(closingWriteMs);
    const written = await Promise.allSettled(affected.map(([uid, request]) => recordInterruption(context, uid, request, signal)));
    for (const outcome of written) {
      if (outcome.status === 'rejected') logger.warn('an interrupted workflow could not be recorded', { error: messageOf(outcome.reason) });
    }
    const shown = new AbortController();
    const giveUp = clock.sleep(closingWriteMs, shown.signal).catch(() => undefined);
    await Promise.race([context.pods.flush(), giveUp]);
    shown.abort();
  }

  /** Recorded attempts are let go of, so those left after a conflicting write are tried again. */
  async function recordInterruption(context: RunContext, uid: string, request: ReconcileRequest, signal: AbortSignal): Promise<void> {
    for (let tries = 0; tries < 3 && runner.known(uid).length > 0; tries++) await runWorkflow(context, request, signal);
  }

  function sweepLogs(): Disposable {
    let timer: Disposable | undefined;
    let done = false;
    const sweep = (): void => {
      logs?.sweep().catch((error: unknown) => logger.warn('old logs could not be removed', { error: messageOf(error) }));
      if (!done) timer = clock.after(sweepEveryMs, sweep);
    };
    sweep();
    return {
      [Symbol.dispose]() {
        done = true;
        timer?.[Symbol.dispose]();
      },
    };
  }

  return { run };
}
