import type { ArtifactWorkflow } from '@arc/api/arc';
import { workloadsOf } from '@arc/api/kueue';
import type { RunContext } from '../artifact-workflow/context.ts';
import { isEnded } from '../artifact-workflow/slot-keeper.ts';
import type { WorkflowRecord } from '../informers/workflow-record.ts';
import { workloadRecord } from '../informers/workload-record.ts';
import { deleteQuietly } from '../metadata/delete-quietly.ts';
import { isControlledBy } from '../metadata/owner.ts';
import { isDeleting } from '../metadata/references.ts';
import { conditionOf, mayRun } from './conditions.ts';
import { readWorkload, workloadOf } from './kueue.ts';
import { evictedReason } from './wait-for-quota.ts';
import { finishWorkload, reportRunning } from './write-conditions.ts';

/**
 * Tells Kueue that a Workflow under way runs. Those that were not started on its quota, such as those from before Workloads were made, go on.
 *
 * @returns why the Workflow has to end, if its quota is wanted back
 */
export async function followQuota(
  context: RunContext,
  run: ArtifactWorkflow,
  workflow: WorkflowRecord,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { kueue } = context;
  if (kueue === undefined || workflow.workload === undefined || isEnded(workflow.phase)) return undefined;
  let workload = workloadOf(kueue, run);
  if (workload === undefined) {
    const live = await readWorkload(context.client, kueue, run, signal);
    if (live === undefined || !isControlledBy(live, run)) return 'its Workload was deleted';
    workload = workloadRecord(live);
  }
  if (mayRun(workload)) {
    if (workflow.phase === 'Running') await reportRunning(context, kueue, workload, signal);
    return undefined;
  }
  const evicted = conditionOf(workload, 'Evicted');
  return evicted === undefined ? 'its Workload is not admitted any more' : `Kueue has evicted it (${evicted.reason}): ${evicted.message}`;
}

/** True when the Workflow of a run is gone because its quota was wanted back, and not because somebody deleted it. */
export function isEvicted({ kueue }: RunContext, run: ArtifactWorkflow): boolean {
  if (kueue === undefined) return false;
  const workload = workloadOf(kueue, run);
  return workload === undefined ? run.status?.reason === evictedReason : !mayRun(workload);
}

/** Says to Kueue that a run has ended, by which its quota is free. */
export async function endQuota(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<void> {
  const { kueue } = context;
  const workload = kueue === undefined ? undefined : workloadOf(kueue, run);
  if (kueue === undefined || workload === undefined || isDeleting(workload)) return;
  const { phase = '' } = run.status ?? {};
  await finishWorkload(context, kueue, { workload, phase, message: `The run has ended as ${phase}` }, signal);
}

/** Deletes the Workload of a run that is to run once more; true while it is still there. */
export async function removeWorkload(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<boolean> {
  const { kueue, client } = context;
  if (kueue === undefined) return false;
  const live = await readWorkload(client, kueue, run, signal);
  if (live === undefined || !isControlledBy(live, run)) return false;
  if (!isDeleting(live)) await deleteQuietly(client, workloadsOf(kueue.version), live, signal);
  return (await readWorkload(client, kueue, run, signal))?.metadata.uid === live.metadata.uid;
}
