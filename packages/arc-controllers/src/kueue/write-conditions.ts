import { isStatusReason } from '@arc/apimachinery';
import { workloadsOf } from '@arc/api/kueue';
import type { WorkloadStatus } from '@arc/api/kueue';
import type { RunContext } from '../artifact-workflow/context.ts';
import type { WorkloadRecord } from '../informers/workload-record.ts';
import { timestamp, updatedConditions } from '../metadata/conditions.ts';
import type { ConditionState } from '../metadata/conditions.ts';
import { refOf } from '../metadata/references.ts';
import { conditionOf, isFinished } from './conditions.ts';
import type { Kueue } from './kueue.ts';

/** As long as the API takes it for a message of a condition. */
const maxMessage = 32_768;

/**
 * Gives the quota of a Workload back that Kueue has evicted, once its Workflow is gone: what Kueue expects of whoever makes the pods. It is in
 * line again at once where Kueue only needed the room, otherwise when Kueue says so.
 */
export async function giveBackQuota(context: RunContext, kueue: Kueue, workload: WorkloadRecord, signal: AbortSignal): Promise<void> {
  const evicted = conditionOf(workload, 'Evicted');
  const reason = evicted?.reason ?? 'Pending';
  const message = evicted?.message ?? '';
  const requeued = reason === 'Preempted' || reason === 'NodeFailures' ? 'True' : 'False';
  const states = [
    { type: 'Requeued', status: requeued, reason, message },
    { type: 'QuotaReserved', status: 'False', reason: 'Pending', message },
    { type: 'Admitted', status: 'False', reason: 'NoReservation', message: 'The workload has no reservation' },
  ] as const;
  await writeConditions(context, kueue, { workload, states, more: { admission: null } }, signal);
}

/** Says that the Workflow runs. Kueue may be told to evict what does not in time, or to admit nothing else until then. */
export async function reportRunning(context: RunContext, kueue: Kueue, workload: WorkloadRecord, signal: AbortSignal): Promise<void> {
  if (conditionOf(workload, 'PodsReady') !== undefined) return;
  const states = [{ type: 'PodsReady', status: 'True', reason: 'Started', message: 'The Workflow runs' }] as const;
  await writeConditions(context, kueue, { workload, states }, signal);
}

/** Says that a run has ended, by which its quota is free; a no-op when it says so. */
export async function finishWorkload(
  context: RunContext,
  kueue: Kueue,
  { workload, phase, message }: { readonly workload: WorkloadRecord; readonly phase: string; readonly message: string },
  signal: AbortSignal,
): Promise<void> {
  if (isFinished(workload)) return;
  const reason = phase === 'Succeeded' ? 'Succeeded' : 'Failed';
  await writeConditions(context, kueue, { workload, states: [{ type: 'Finished', status: 'True', reason, message }] }, signal);
}

/** Of a Workload as it was seen: when it has changed since, its event leads to another look. */
async function writeConditions(
  { client, clock }: RunContext,
  { version }: Kueue,
  {
    workload,
    states,
    more = {},
  }: { readonly workload: WorkloadRecord; readonly states: readonly ConditionState[]; readonly more?: WorkloadStatus },
  signal: AbortSignal,
): Promise<void> {
  const { uid, resourceVersion, generation } = workload.metadata;
  const observed = states.map((state) => ({
    ...state,
    message: state.message.slice(0, maxMessage),
    ...(generation !== undefined && { observedGeneration: generation }),
  }));
  const conditions = updatedConditions(workload.conditions, observed, timestamp(clock.now()));
  try {
    const body = { metadata: { uid, resourceVersion }, status: { ...more, conditions } };
    await client.patch(workloadsOf(version), refOf(workload), body, { signal, subresource: 'status' });
  } catch (error) {
    if (!isStatusReason(error, 'NotFound') && !isStatusReason(error, 'Conflict')) throw error;
  }
}
