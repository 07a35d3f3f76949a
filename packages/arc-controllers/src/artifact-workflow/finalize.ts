import type { Workflow } from '@arc/api/argo';
import { workflows } from '@arc/api/argo';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { artifactWorkflowFinalizer, artifactWorkflows, isFinishedPhase } from '@arc/api/arc';
import { isStatusReason } from '@arc/apimachinery';
import { workflowName } from '../identity/names.ts';
import { workflowRecord } from '../informers/workflow-record.ts';
import { hasFinalizer, removeFinalizer } from '../metadata/finalizers.ts';
import { controllerOf, isControlledBy } from '../metadata/owner.ts';
import { isDeleting } from '../metadata/references.ts';
import { writeStatus } from '../metadata/write-status.ts';
import { isRecorded } from '../retention/deliveries.ts';
import { scheduleOfRun } from './build-cron-workflow.ts';
import type { RunContext } from './context.ts';
import { endSchedule } from './end-schedule.ts';
import { statusEnded } from './observe.ts';

const orphanFinalizer = 'orphan';

/** Lets an ArtifactWorkflow go once its Workflow, and with it every pod, is gone. */
export async function finalizeRun(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<void> {
  if (!hasFinalizer(run, artifactWorkflowFinalizer)) return;
  const isScheduled = scheduleOfRun(run) !== undefined;
  if (!isScheduled && (await recordDelivery(context, run, signal))) return;
  const end = isScheduled ? endSchedule : endWorkflow;
  if (!hasFinalizer(run, orphanFinalizer) && (await end(context, run, signal))) return;
  if (isUnrecorded(context, run)) return;
  await removeFinalizer(context.client, artifactWorkflows, run, artifactWorkflowFinalizer, signal);
}

/** Writes down that a run has delivered whose deletion was faster than that; the event of it leads here again. */
async function recordDelivery(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<boolean> {
  if (isFinishedPhase(run.status?.phase)) return false;
  const ref = { namespace: run.metadata.namespace ?? '', name: workflowName(run.metadata.name ?? '') };
  const workflow = await readWorkflow(context, ref, signal);
  if (workflow === undefined || !isControlledBy(workflow, run)) return false;
  const record = workflowRecord(workflow);
  if (record.phase !== 'Succeeded') return false;
  const status = await statusEnded(context, run, { workflow: record }, signal);
  return (await writeStatus(context.client, artifactWorkflows, run, status, signal)) !== undefined;
}

/** True while the Order of a run that has delivered does not say so yet: without the record it would be delivered again. */
function isUnrecorded(context: RunContext, run: ArtifactWorkflow): boolean {
  const owner = controllerOf(run);
  if (run.status?.phase !== 'Succeeded' || owner?.kind !== 'Order') return false;
  const order = context.orders.get(run.metadata.namespace, owner.name);
  if (order === undefined || order.metadata.uid !== owner.uid || isDeleting(order)) return false;
  return !isRecorded(order.status, run);
}

/** Deletes the Workflow of a run; true while it is still there. The informer only tells when to look again. */
export async function endWorkflow(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<boolean> {
  const ref = { namespace: run.metadata.namespace ?? '', name: workflowName(run.metadata.name ?? '') };
  const workflow = await readWorkflow(context, ref, signal);
  if (workflow === undefined || !isControlledBy(workflow, run)) return false;
  if (isDeleting(workflow)) return true;
  const { uid, resourceVersion } = workflow.metadata;
  // Of a run that has not ended, only a Workflow that has not either: in between it may deliver, and its event leads here again.
  const isOpen = !isFinishedPhase(run.status?.phase);
  if (isOpen && workflowRecord(workflow).phase === 'Succeeded') return true;
  try {
    await context.client.delete(workflows, ref, {
      signal,
      propagationPolicy: 'Background',
      preconditions: { ...(uid !== undefined && { uid }), ...(isOpen && resourceVersion !== undefined && { resourceVersion }) },
    });
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) return false;
    if (isOpen && isStatusReason(error, 'Conflict')) return true;
    throw error;
  }
  return (await readWorkflow(context, ref, signal))?.metadata.uid === uid;
}

/** The Workflow as the server has it now; undefined when there is none. */
export async function readWorkflow(
  context: RunContext,
  ref: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Workflow | undefined> {
  try {
    return await context.client.get<Workflow>(workflows, ref, { signal });
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
