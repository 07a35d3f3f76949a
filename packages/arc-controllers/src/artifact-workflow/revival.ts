import type { ArtifactWorkflow } from '@arc/api/arc';
import { workflowName } from '../identity/names.ts';
import { workflowRecord } from '../informers/workflow-record.ts';
import type { WorkflowRecord } from '../informers/workflow-record.ts';
import { isControlledBy } from '../metadata/owner.ts';
import { isDeleting } from '../metadata/references.ts';
import { scheduleOfRun } from './build-cron-workflow.ts';
import type { RunContext } from './context.ts';
import { readWorkflow } from './finalize.ts';
import { readRun } from './restart.ts';
import { isEnded } from './slot-keeper.ts';

/**
 * A run that has failed whose Workflow goes on nevertheless, as the server has it: `argo retry` takes up what has failed, in the same
 * Workflow. Undefined for every other run, about which the server is not asked.
 */
export async function readRevived(
  context: RunContext,
  known: ArtifactWorkflow,
  signal: AbortSignal,
): Promise<ArtifactWorkflow | undefined> {
  const ref = { namespace: known.metadata.namespace ?? '', name: workflowName(known.metadata.name ?? '') };
  if (!isFailed(known) || !goesOn(context.workflows.get(ref.namespace, ref.name), known)) return undefined;
  // The informer may be behind what the failure was read from.
  const live = await readWorkflow(context, ref, signal);
  if (live === undefined || !goesOn(workflowRecord(live), known)) return undefined;
  const run = await readRun(context, known, signal);
  return run !== undefined && isFailed(run) ? run : undefined;
}

function isFailed(run: ArtifactWorkflow): boolean {
  const { phase } = run.status ?? {};
  return (phase === 'Failed' || phase === 'Error') && !isDeleting(run) && scheduleOfRun(run) === undefined;
}

function goesOn(workflow: WorkflowRecord | undefined, run: ArtifactWorkflow): boolean {
  return workflow !== undefined && isControlledBy(workflow, run) && !isDeleting(workflow) && !isEnded(workflow.phase);
}
