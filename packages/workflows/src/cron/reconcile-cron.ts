import { isDeepStrictEqual } from 'node:util';
import type { CronWorkflow, CronWorkflowStatus, Workflow, WorkflowCondition } from '@arc/api/argo';
import { cronWorkflows, instanceIdLabel, workflows } from '@arc/api/argo';
import { ApiStatusError, isStatusReason } from '@arc/apimachinery';
import type { ReconcileRequest, ReconcileResult } from '@arc/controller';
import type { Clock, Logger } from '@arc/kernel';
import type { Informer, KubeClient } from '@arc/kube-client';
import { readIfThere } from '@arc/kube-client';
import { isCompleted } from '../planner/plan.ts';
import { timestamp } from '../planner/time.ts';
import { mayRun, mustStop } from './cron-expressions.ts';
import { readCronSpec } from './cron-spec.ts';
import type { CronPlan } from './cron-spec.ts';
import { dueTime, nextTime } from './due.ts';
import { cronWorkflowCompletedLabel, lastUsedScheduleAnnotation } from './labels.ts';
import { activeRuns, lastScheduled, observedStatus, runReference, surplusRuns } from './observe-runs.ts';
import { runName, scheduledWorkflow } from './scheduled-workflow.ts';

/** What this process knows of a CronWorkflow beside its status. */
interface Watch {
  readonly uid: string;
  /** What it was told to do then; something else begins anew. */
  readonly asked: string;
  /** Since when runs are started on time, milliseconds since the epoch. */
  since: number;
  /** Missed times that are not looked at again: their `when` did not hold, or their Workflow was refused. */
  passedOver: number;
}

export interface CronContext {
  readonly client: KubeClient;
  /** With the index `cronWorkflow` by the uid of the controlling CronWorkflow. */
  readonly workflows: Informer<Workflow>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** By namespace and name. */
  readonly watches: Map<string, Watch>;
}

/** Timers of Node count milliseconds in 31 bits; looking twice a day costs nothing. */
const maxDelayMs = 43_200_000;

/**
 * Records what became of the runs of a CronWorkflow, starts the one that is due, and removes those that are too many. The
 * status is read from the server and written under its revision, so that no run is counted twice.
 */
export async function reconcileCron(
  context: CronContext,
  request: ReconcileRequest,
  signal: AbortSignal,
): Promise<ReconcileResult | undefined> {
  const key = `${request.namespace ?? ''}/${request.name}`;
  const cron = await readCron(context, request, signal);
  if (cron === undefined || cron.metadata.deletionTimestamp !== undefined || cron.metadata.labels?.[instanceIdLabel] !== undefined) {
    context.watches.delete(key);
    return undefined;
  }
  const runs = await runsOf(context, cron, signal);
  const next: CronWorkflow = { ...structuredClone(cron), status: observedStatus(cron, runs) };
  const status = next.status ?? {};
  const plan = readCronSpec(next);
  setError(status, 'SpecError', typeof plan === 'string' ? plan : undefined);
  if (typeof plan === 'string') {
    context.watches.delete(key);
    delete status.nextScheduledTime;
    await write(context, cron, next, signal);
    return undefined;
  }
  if (mustStop(next)) {
    status.phase = 'Stopped';
    next.metadata.labels = { ...next.metadata.labels, [cronWorkflowCompletedLabel]: 'true' };
  }
  const idle = plan.suspended || status.phase === 'Stopped';
  const watch = watchOf(context, key, cron, plan);
  const now = context.clock.now();
  const after = idle ? { since: now } : await runDue(context, { plan, next, runs, watch, now }, signal);
  const nextDue = idle ? undefined : nextTime(plan, now, lastScheduled(next));
  if (nextDue === undefined) delete status.nextScheduledTime;
  else status.nextScheduledTime = timestamp(nextDue);
  await write(context, cron, next, signal);
  // Only what is recorded is behind us: until then a crash, or a conflict, leads here again.
  Object.assign(watch, after);
  await removeSurplus(context, runs, plan, signal);
  return nextDue === undefined ? undefined : { requeueAfterMs: Math.min(Math.max(1, nextDue - now), maxDelayMs) };
}

interface Moment {
  readonly plan: CronPlan;
  /** The CronWorkflow as it will be written. */
  readonly next: CronWorkflow;
  readonly runs: readonly Workflow[];
  readonly watch: Watch;
  readonly now: number;
}

/** Starts the run that is due, if any and if it may; returns what to remember of it once the status is written. */
async function runDue(context: CronContext, moment: Moment, signal: AbortSignal): Promise<Partial<Watch>> {
  const { plan, next, runs, watch, now } = moment;
  const { passedOver, since } = watch;
  const sameSchedule = next.metadata.annotations?.[lastUsedScheduleAnnotation] === plan.scheduleText;
  const time = dueTime(plan, { now, last: lastScheduled(next), since, passedOver, sameSchedule });
  if (time === undefined) return {};
  const status = (next.status ??= {});
  const settled = { since: Math.max(since, time), passedOver: Math.max(passedOver, time) };
  if (!mayRun(next)) return settled;
  const active = runs.filter(({ status }) => !isCompleted(status?.phase));
  if (plan.policy === 'Forbid' && active.length > 0) {
    context.logger.info('a scheduled run is left out, the last one is still active', refOf(next, time));
    return { since: settled.since };
  }
  if (plan.policy === 'Replace' && active.length > 0) {
    await terminate(context, active, signal);
    // Its end leads here again; two runs at once could write to the same destination.
    return {};
  }
  const run = await createRun(context, next, time, signal);
  if (run instanceof ApiStatusError) {
    setError(status, 'SubmissionError', `Failed to submit Workflow: ${run.message}`);
    status.failed = (status.failed ?? 0) + 1;
    return settled;
  }
  setError(status, 'SubmissionError', undefined);
  const known = activeRuns(next).some(({ uid }) => uid === run.metadata.uid);
  if (!known) status.active = [...(status.active ?? []), runReference(run)];
  status.lastScheduledTime = timestamp(time);
  next.metadata.annotations = { ...next.metadata.annotations, [lastUsedScheduleAnnotation]: plan.scheduleText };
  return {};
}

async function readCron(
  context: CronContext,
  { namespace, name }: ReconcileRequest,
  signal: AbortSignal,
): Promise<CronWorkflow | undefined> {
  const ref = { name, ...(namespace !== undefined && { namespace }) };
  return await readIfThere<CronWorkflow>(context.client, cronWorkflows, ref, signal);
}

/** Every run there is: those the informer knows, and of those it does not know yet the ones the status lists. */
async function runsOf(context: CronContext, cron: CronWorkflow, signal: AbortSignal): Promise<readonly Workflow[]> {
  const { uid = '', namespace = '' } = cron.metadata;
  const seen = context.workflows.byIndex('cronWorkflow', uid);
  const uids = new Set(seen.map(({ metadata }) => metadata.uid));
  const unseen = activeRuns(cron).filter((run) => !uids.has(run.uid));
  const read = await Promise.all(unseen.map(({ name }) => readIfThere<Workflow>(context.client, workflows, { namespace, name }, signal)));
  const listed = new Set(unseen.map(({ uid }) => uid));
  return [...seen, ...read.filter((run) => run !== undefined).filter(({ metadata }) => listed.has(metadata.uid ?? ''))];
}

/** Another spec, or another object of the name, is watched from now on: what it would have run before was not missed. */
function watchOf(context: CronContext, key: string, cron: CronWorkflow, plan: CronPlan): Watch {
  const uid = cron.metadata.uid ?? '';
  const asked = `${plan.scheduleText} ${plan.suspended}`;
  const now = context.clock.now();
  const known = context.watches.get(key);
  if (known !== undefined && known.uid === uid && known.asked === asked) {
    known.since = Math.min(known.since, now);
    return known;
  }
  const watch: Watch = { uid, asked, since: now, passedOver: Number.NEGATIVE_INFINITY };
  context.watches.set(key, watch);
  return watch;
}

/** The run of a scheduled time, which may have been made before; the error of a server that will not have it. */
async function createRun(context: CronContext, cron: CronWorkflow, time: number, signal: AbortSignal): Promise<Workflow | ApiStatusError> {
  const { namespace = '', name = '', uid } = cron.metadata;
  try {
    const run = await context.client.create<Workflow>(workflows, scheduledWorkflow(cron, time), { signal });
    context.logger.info('a scheduled run was started', refOf(cron, time));
    return run;
  } catch (error) {
    if (!(error instanceof ApiStatusError) || error.retryable) throw error;
    if (!isStatusReason(error, 'AlreadyExists')) return error;
    const made = await readIfThere<Workflow>(context.client, workflows, { namespace, name: runName(name, time) }, signal);
    const isOurs = made?.metadata.ownerReferences?.some((owner) => owner.controller === true && owner.uid === uid) === true;
    return made !== undefined && isOurs ? made : error;
  }
}

async function terminate(context: CronContext, active: readonly Workflow[], signal: AbortSignal): Promise<void> {
  for (const run of active) {
    const { namespace = '', name = '', uid } = run.metadata;
    if (run.spec.shutdown === 'Terminate') continue;
    context.logger.info('a scheduled run is replaced by the next one', { namespace, name });
    try {
      await context.client.patch(workflows, { namespace, name }, { metadata: { uid }, spec: { shutdown: 'Terminate' } }, { signal });
    } catch (error) {
      if (!isStatusReason(error, 'NotFound')) throw error;
    }
  }
}

async function write(context: CronContext, old: CronWorkflow, next: CronWorkflow, signal: AbortSignal): Promise<void> {
  if (isDeepStrictEqual(old, next)) return;
  await context.client.update<CronWorkflow>(cronWorkflows, next, { signal });
}

async function removeSurplus(context: CronContext, runs: readonly Workflow[], plan: CronPlan, signal: AbortSignal): Promise<void> {
  for (const run of surplusRuns(runs, plan)) {
    const { namespace = '', name = '', uid } = run.metadata;
    try {
      await context.client.delete(
        workflows,
        { namespace, name },
        { signal, propagationPolicy: 'Background', ...(uid !== undefined && { preconditions: { uid } }) },
      );
    } catch (error) {
      if (!isStatusReason(error, 'NotFound') && !isStatusReason(error, 'Conflict')) throw error;
    }
  }
}

/** As in Argo, an error is a condition that is there while it holds. */
function setError(status: CronWorkflowStatus, type: 'SpecError' | 'SubmissionError', message: string | undefined): void {
  const known: unknown = status.conditions;
  const others = (Array.isArray(known) ? (known as WorkflowCondition[]) : []).filter((condition) => condition.type !== type);
  const conditions = message === undefined ? others : [...others, { type, status: 'True' as const, message }];
  if (conditions.length > 0) status.conditions = conditions;
  else delete status.conditions;
}

function refOf({ metadata }: CronWorkflow, time: number): { namespace: string | undefined; name: string | undefined; time: string } {
  return { namespace: metadata.namespace, name: metadata.name, time: timestamp(time) };
}
