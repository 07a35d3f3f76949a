import type { ArtifactWorkflow } from '@arc/api/arc';
import type { Job } from '../admission/job.ts';
import type { WorkflowRecord } from '../informers/workflow-record.ts';
import { keyOf } from '../metadata/references.ts';
import { endpointNames } from './build-workflow.ts';
import type { RunContext } from './context.ts';
import { priorityOf } from './hand-over.ts';
import { scheduledKey } from './slot-keeper.ts';

/** What a run waits for its turn as. */
export function jobOf(context: RunContext, run: ArtifactWorkflow): Job {
  const { namespace = '', name = '', creationTimestamp } = run.metadata;
  return {
    ...place(context, run, endpointNames(run)),
    key: keyOf(namespace, name),
    since: hasWaitedSinceCreation(run) ? timeOf(context, creationTimestamp) : context.clock.now(),
  };
}

/**
 * False for a run that is tried again, or that could not start until now: the time in which it did not wait makes it no more urgent than those
 * that did.
 */
function hasWaitedSinceCreation({ status = {} }: ArtifactWorkflow): boolean {
  const { reason, lastRetry, lastForceAt } = status;
  return (
    (reason === undefined || reason === 'Queued' || reason === 'WaitingForQuota') && lastRetry === undefined && lastForceAt === undefined
  );
}

/** What one of the runs of a schedule waits as: since it was due. */
export function scheduledJobOf(context: RunContext, run: ArtifactWorkflow, workflow: WorkflowRecord): Job {
  return {
    ...place(context, run, workflow.endpoints),
    key: scheduledKey(workflow),
    since: timeOf(context, workflow.metadata.creationTimestamp),
  };
}

function place(
  context: RunContext,
  run: ArtifactWorkflow,
  endpoints: readonly string[],
): Pick<Job, 'namespace' | 'endpoints' | 'priority'> {
  const { namespace = '' } = run.metadata;
  return {
    namespace,
    endpoints: endpoints.map((endpoint) => keyOf(namespace, endpoint)),
    priority: priorityOf(context, run),
  };
}

function timeOf({ clock }: RunContext, timestamp: string | null | undefined): number {
  const time = Date.parse(timestamp ?? '');
  return Number.isNaN(time) ? clock.now() : time;
}
