import type { CronWorkflow } from '@arc/api/argo';
import { workflows } from '@arc/api/argo';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { heldAnnotation } from '@arc/api/arc';
import { isStatusReason } from '@arc/apimachinery';
import type { Place } from '../admission/admission.ts';
import type { WorkflowRecord } from '../informers/workflow-record.ts';
import { isControlledBy } from '../metadata/owner.ts';
import { isDeleting, keyOf, refOf } from '../metadata/references.ts';
import type { RunContext } from './context.ts';
import { scheduledJobOf } from './job-of.ts';
import { isSuspended } from './obstacles.ts';
import { isEnded, scheduledKey } from './slot-keeper.ts';

/** The Workflows of a schedule, in the order they were due. */
export function runsOf(context: RunContext, cron: CronWorkflow): readonly WorkflowRecord[] {
  const records = context.workflows.byIndex('cronWorkflow', keyOf(cron.metadata.namespace, cron.metadata.name ?? ''));
  return records
    .filter((record) => isControlledBy(record, cron))
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
}

/** Why a run that is due has not begun; without a position it is not in line. */
export type Waiting = Pick<Place, 'message'> & Partial<Pick<Place, 'position'>>;

/**
 * Lets the runs go whose turn it is: each has been made suspended.
 *
 * @returns the place of the first that waits on
 */
export async function releaseRuns(
  context: RunContext,
  run: ArtifactWorkflow,
  cron: CronWorkflow,
  signal: AbortSignal,
): Promise<Waiting | undefined> {
  let first: Waiting | undefined;
  for (const workflow of runsOf(context, cron)) {
    if (!workflow.isHeld || isEnded(workflow.phase) || isDeleting(workflow)) continue;
    const key = scheduledKey(workflow);
    if (isSuspended(context, run) && !workflow.isShutDown) {
      context.admission.leave(key);
      first ??= { message: 'starts when its Order is resumed' };
      continue;
    }
    const place = workflow.isShutDown ? undefined : context.admission.tryEnter(scheduledJobOf(context, run, workflow));
    first ??= place;
    if (place === undefined) await release(context, workflow, signal);
  }
  return first;
}

async function release(context: RunContext, workflow: WorkflowRecord, signal: AbortSignal): Promise<void> {
  const { uid } = workflow.metadata;
  try {
    const body = { metadata: { uid, annotations: { [heldAnnotation]: null } }, spec: { suspend: null } };
    await context.client.patch(workflows, refOf(workflow), body, { signal });
  } catch (error) {
    // Whoever is next must not wait for this one's backoff.
    context.admission.leave(scheduledKey(workflow));
    if (!isStatusReason(error, 'NotFound')) throw error;
  }
}
