import type { Workflow } from '@arc/api/argo';
import { workflows } from '@arc/api/argo';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { artifactWorkflowFinalizer, artifactWorkflows, isFinishedPhase } from '@arc/api/arc';
import { isStatusReason } from '@arc/apimachinery';
import { readIfThere } from '@arc/kube-client';
import { workflowName } from '../identity/names.ts';
import { workflowRecord } from '../informers/workflow-record.ts';
import type { WorkflowRecord } from '../informers/workflow-record.ts';
import { hasFinalizer, removeFinalizer } from '../metadata/finalizers.ts';
import { controllerOf, isControlledBy } from '../metadata/owner.ts';
import { isDeleting, refOf } from '../metadata/references.ts';
import { writeStatus } from '../metadata/write-status.ts';
import { isRecorded } from '../retention/deliveries.ts';
import { scheduleOfRun } from './build-cron-workflow.ts';
import type { RunContext } from './context.ts';
import { endSchedule } from './end-schedule.ts';
import { statusEnded } from './observe.ts';

const orphanFinalizer = 'orphan';

/**
 * Lets an ArtifactWorkflow go once its Workflow, and with it every pod, is gone.
 *
 * @param departed what its Workflow came to, if it delivered and went before anybody wrote that down
 */
export async function finalizeRun(
  context: RunContext,
  run: ArtifactWorkflow,
  departed: () => WorkflowRecord | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (!hasFinalizer(run, artifactWorkflowFinalizer)) return;
  if (scheduleOfRun(run) !== undefined) {
    if (!hasFinalizer(run, orphanFinalizer) && (await endSchedule(context, run, signal))) return;
  } else {
    const workflow = await readOwnWorkflow(context, run, signal);
    const isGone = workflow === undefined;
    // It may have delivered before it went: the event of that leads here again.
    if (isGone && isOpen(run) && isShown(context, run)) return;
    if (await recordDelivery(context, run, isGone ? departed() : workflowRecord(workflow), signal)) return;
    if (!isGone && !hasFinalizer(run, orphanFinalizer)) {
      if (await deleteWorkflow(context, run, workflow, signal)) return;
      if (isOpen(run) && (isShown(context, run) || departed() !== undefined)) return;
    }
  }
  if (isUnrecorded(context, run)) return;
  await removeFinalizer(context.client, artifactWorkflows, run, artifactWorkflowFinalizer, signal);
}

/** Writes down that a run has delivered whose deletion was faster than that; the event of it leads here again. */
async function recordDelivery(
  context: RunContext,
  run: ArtifactWorkflow,
  workflow: WorkflowRecord | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isOpen(run) || workflow?.phase !== 'Succeeded') return false;
  const status = await statusEnded(context, run, { workflow }, signal);
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
  const workflow = await readOwnWorkflow(context, run, signal);
  return workflow !== undefined && (await deleteWorkflow(context, run, workflow, signal));
}

async function deleteWorkflow(context: RunContext, run: ArtifactWorkflow, workflow: Workflow, signal: AbortSignal): Promise<boolean> {
  if (isDeleting(workflow)) return true;
  const { uid, resourceVersion } = workflow.metadata;
  // Of a run that has not ended, only a Workflow that has not either: in between it may deliver, and its event leads here again.
  const isUnfinished = isOpen(run);
  if (isUnfinished && workflowRecord(workflow).phase === 'Succeeded') return true;
  try {
    await context.client.delete(workflows, refOf(workflow), {
      signal,
      propagationPolicy: 'Background',
      preconditions: { ...(uid !== undefined && { uid }), ...(isUnfinished && resourceVersion !== undefined && { resourceVersion }) },
    });
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) return false;
    if (isUnfinished && isStatusReason(error, 'Conflict')) return true;
    throw error;
  }
  return (await readWorkflow(context, refOf(workflow), signal))?.metadata.uid === uid;
}

function isOpen({ status }: ArtifactWorkflow): boolean {
  return !isFinishedPhase(status?.phase);
}

function isShown(context: RunContext, run: ArtifactWorkflow): boolean {
  const shown = context.workflows.get(run.metadata.namespace, workflowName(run.metadata.name ?? ''));
  return shown !== undefined && isControlledBy(shown, run);
}

async function readOwnWorkflow(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<Workflow | undefined> {
  const ref = { namespace: run.metadata.namespace ?? '', name: workflowName(run.metadata.name ?? '') };
  const workflow = await readWorkflow(context, ref, signal);
  return workflow !== undefined && isControlledBy(workflow, run) ? workflow : undefined;
}

/** The Workflow as the server has it now; undefined when there is none. */
export async function readWorkflow(
  context: RunContext,
  ref: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Workflow | undefined> {
  return await readIfThere<Workflow>(context.client, workflows, ref, signal);
}
