import type { ArtifactWorkflow } from '@arc/api/arc';
import { kueuePriorityClassLabel, kueueQueueLabel } from '@arc/api/arc';
import { workloadsOf } from '@arc/api/kueue';
import { isStatusReason } from '@arc/apimachinery';
import { cleanText } from '../artifact-workflow/clean-text.ts';
import type { RunContext } from '../artifact-workflow/context.ts';
import type { HandOver } from '../artifact-workflow/hand-over.ts';
import type { WorkloadRecord } from '../informers/workload-record.ts';
import { deleteQuietly } from '../metadata/delete-quietly.ts';
import { isControlledBy } from '../metadata/owner.ts';
import { isDeleting, refOf } from '../metadata/references.ts';
import { buildWorkload } from './build-workload.ts';
import { conditionOf, isFinished, isToBeGivenBack, mayRun, whyPending } from './conditions.ts';
import { readWorkload, workloadOf } from './kueue.ts';
import type { Kueue } from './kueue.ts';
import { giveBackQuota } from './write-conditions.ts';

const maxMessage = 512;
const lookAgainMs = 30_000;

/** The reason of a run that has lost its quota, from when its Workflow is being ended until it has quota again. */
export const evictedReason = 'Evicted';

/** Why a run does not start yet. */
export interface QuotaWait {
  readonly reason: string;
  readonly message: string;
  /** It does not stand in ARC's line either: it may last. */
  readonly leavesLine?: boolean;
  /** No event will tell when it may go on. */
  readonly requeueAfterMs?: number;
}

/**
 * What is to be done about the Workload of a run before it stands in ARC's line, its Workflow being gone: quota that is wanted back is given back.
 *
 * @returns why the run stands in no line
 */
export async function settleQuota(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<QuotaWait | undefined> {
  const { kueue } = context;
  const workload = kueue === undefined ? undefined : workloadOf(kueue, run);
  if (kueue === undefined || workload === undefined || isFinished(workload)) return undefined;
  if (isToBeGivenBack(workload)) await giveBackQuota(context, kueue, workload, signal);
  if (workload.isActive) return undefined;
  const { name } = refOf(workload);
  const why = conditionOf(workload, 'Evicted')?.message ?? '';
  const message = `starts when spec.active of its Workload ${JSON.stringify(name)} is true again${why === '' ? '' : `: ${why}`}`;
  return { reason: 'Deactivated', message: short(message), leavesLine: true };
}

/**
 * Lets a run pass that has quota of Kueue, or whose Order and namespace name no LocalQueue. One without a Workload gets one.
 *
 * @returns why it waits; undefined when it may start
 */
export async function waitForQuota(
  context: RunContext,
  run: ArtifactWorkflow,
  handOver: HandOver,
  signal: AbortSignal,
): Promise<QuotaWait | undefined> {
  const { kueue } = context;
  if (kueue === undefined) return undefined;
  const workload = workloadOf(kueue, run);
  const queueName = handOver.queueLabels[kueueQueueLabel];
  if (queueName === undefined) {
    if (workload !== undefined) await withdrawWorkload(context, run, signal);
    return undefined;
  }
  if (workload === undefined) return await createWorkload(context, kueue, { run, handOver }, signal);
  if (isDeleting(workload)) return { reason: 'WaitingForQuota', message: 'waits until its former Workload is gone' };
  if (isFinished(workload)) {
    await deleteQuietly(context.client, workloadsOf(kueue.version), workload, signal);
    return { reason: 'WaitingForQuota', message: 'waits until its former Workload is gone' };
  }
  if (mayRun(workload)) return undefined;
  if (conditionOf(workload, 'QuotaReserved') === undefined && workload.queueName !== queueName) {
    await moveToQueue(context, kueue, { workload, queueName }, signal);
  }
  return waitOf(workload, queueName);
}

/** Takes the Workload of a run that is not to start now out of its queue; a no-op without one. */
export async function withdrawWorkload(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<void> {
  const { kueue } = context;
  const workload = kueue === undefined ? undefined : workloadOf(kueue, run);
  if (kueue === undefined || workload === undefined || isDeleting(workload)) return;
  await deleteQuietly(context.client, workloadsOf(kueue.version), workload, signal);
}

function waitOf(workload: WorkloadRecord, queueName: string): QuotaWait {
  const queue = `the LocalQueue ${JSON.stringify(queueName)}`;
  if (conditionOf(workload, 'QuotaReserved') !== undefined && conditionOf(workload, 'Evicted') === undefined) {
    const checks = workload.openChecks.length > 0 ? workload.openChecks.join('; ') : 'Kueue says no more';
    return { reason: 'WaitingForAdmissionChecks', message: short(`has quota of ${queue} and waits for admission checks: ${checks}`) };
  }
  const evicted = conditionOf(workload, 'Evicted');
  const why = whyPending(workload);
  const reason = why === '' ? '' : `: ${why}`;
  if (evicted === undefined) return { reason: 'WaitingForQuota', message: short(`waits for quota of ${queue}${reason}`) };
  return { reason: evictedReason, message: short(`was evicted (${evicted.reason}) and waits for quota of ${queue}${reason}`) };
}

async function createWorkload(
  context: RunContext,
  kueue: Kueue,
  { run, handOver }: { readonly run: ArtifactWorkflow; readonly handOver: HandOver },
  signal: AbortSignal,
): Promise<QuotaWait> {
  const queueName = handOver.queueLabels[kueueQueueLabel] ?? '';
  const workload = await buildWorkload(context, kueue.version, { run, handOver }, signal);
  if (typeof workload === 'string') {
    const message = `there is no WorkloadPriorityClass ${JSON.stringify(workload)}, which the label ${kueuePriorityClassLabel} names`;
    return { reason: 'PriorityClassMissing', message, leavesLine: true, requeueAfterMs: lookAgainMs };
  }
  const { name = '', namespace } = workload.metadata;
  try {
    await context.client.create(workloadsOf(kueue.version), workload, { signal });
    context.events.event(run, { type: 'Normal', reason: 'Queued', action: 'Create', note: `created Workload ${name} in ${queueName}` });
  } catch (error) {
    if (!isStatusReason(error, 'AlreadyExists')) throw error;
    const live = await readWorkload(context.client, kueue, run, signal);
    if (live !== undefined && !isControlledBy(live, run)) {
      const message = `a Workload ${JSON.stringify(name)} that is not of this ArtifactWorkflow exists in namespace ${JSON.stringify(namespace)}`;
      return { reason: 'NameTaken', message, leavesLine: true, requeueAfterMs: lookAgainMs };
    }
  }
  // Its event leads here again, and so does the end of a former one of its name.
  return { reason: 'WaitingForQuota', message: `waits for quota of the LocalQueue ${JSON.stringify(queueName)}` };
}

async function moveToQueue(
  { client }: RunContext,
  { version }: Kueue,
  { workload, queueName }: { readonly workload: WorkloadRecord; readonly queueName: string },
  signal: AbortSignal,
): Promise<void> {
  const { uid, resourceVersion } = workload.metadata;
  try {
    await client.patch(workloadsOf(version), refOf(workload), { metadata: { uid, resourceVersion }, spec: { queueName } }, { signal });
  } catch (error) {
    // It has changed, and its event leads here again.
    if (!isStatusReason(error, 'NotFound') && !isStatusReason(error, 'Conflict')) throw error;
  }
}

function short(message: string): string {
  return cleanText(message, { maxBytes: maxMessage });
}
