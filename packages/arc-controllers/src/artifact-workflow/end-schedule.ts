import type { CronWorkflow, Workflow } from '@arc/api/argo';
import { cronWorkflows, workflows } from '@arc/api/argo';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { artifactWorkflowLabel } from '@arc/api/arc';
import { readIfThere } from '@arc/kube-client';
import { cronWorkflowName, workflowName } from '../identity/names.ts';
import { workflowRecord } from '../informers/workflow-record.ts';
import { deleteQuietly } from '../metadata/delete-quietly.ts';
import { isControlledBy } from '../metadata/owner.ts';
import { isDeleting } from '../metadata/references.ts';
import type { RunContext } from './context.ts';

/** Deletes the CronWorkflow of a run and the Workflows it made; true while any of them is there. */
export async function endSchedule(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<boolean> {
  const { namespace = '', name = '' } = run.metadata;
  const cron = await readSchedule(context, { namespace, name: cronWorkflowName(name) }, signal);
  const isOurs = cron !== undefined && isControlledBy(cron, run);
  if (isOurs && !isDeleting(cron)) await deleteQuietly(context.client, cronWorkflows, cron, signal);
  // Nothing makes new ones once it is going, so that what is listed now is all.
  const made = await context.client.list<Workflow>(workflows, {
    namespace,
    labelSelector: `${artifactWorkflowLabel}=${workflowName(name)}`,
    signal,
  });
  const runs = made.items
    .map((workflow) => workflowRecord(workflow))
    .filter(({ metadata }) =>
      metadata.ownerReferences?.some((owner) => owner.kind === cronWorkflows.kind && owner.name === cronWorkflowName(name)),
    );
  for (const workflow of runs) if (!isDeleting(workflow)) await deleteQuietly(context.client, workflows, workflow, signal);
  if (runs.length > 0) return true;
  return isOurs && (await readSchedule(context, { namespace, name: cronWorkflowName(name) }, signal))?.metadata.uid === cron.metadata.uid;
}

/** The CronWorkflow as the server has it now; undefined when there is none. */
export async function readSchedule(
  context: RunContext,
  ref: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<CronWorkflow | undefined> {
  return await readIfThere<CronWorkflow>(context.client, cronWorkflows, ref, signal);
}
