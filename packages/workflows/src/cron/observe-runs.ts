import type { CronWorkflow, CronWorkflowRun, CronWorkflowStatus, Workflow } from '@arc/api/argo';
import { workflows } from '@arc/api/argo';
import { apiVersionOf } from '@arc/apimachinery';
import { isCompleted } from '../planner/plan.ts';
import { timestamp } from '../planner/time.ts';
import { scheduledTimeOf } from './scheduled-workflow.ts';

/** The runs a status lists as active. Anybody may write a status, so nothing is taken for granted. */
export function activeRuns({ status }: CronWorkflow): readonly CronWorkflowRun[] {
  const active: unknown = status?.active;
  return Array.isArray(active)
    ? active.filter((run: Partial<CronWorkflowRun> | null) => typeof run?.uid === 'string' && typeof run.name === 'string')
    : [];
}

/** The scheduled time of the last recorded run, milliseconds since the epoch. */
export function lastScheduled({ status }: Pick<CronWorkflow, 'status'>): number | undefined {
  const time = Date.parse(status?.lastScheduledTime ?? '');
  return Number.isNaN(time) ? undefined : time;
}

/**
 * Brings a status up to what became of the runs: each is counted once, when it leaves the list of the active ones, or when
 * it is seen for the first time and has ended already. So a run that was made but not recorded, because whoever made it
 * died, is recorded here.
 */
export function observedStatus(cron: CronWorkflow, runs: readonly Workflow[]): CronWorkflowStatus {
  const before = cron.status ?? {};
  const byUid = new Map(runs.map((run) => [run.metadata.uid ?? '', run]));
  const listed = activeRuns(cron);
  const listedUids = new Set(listed.map(({ uid }) => uid));
  const recorded = lastScheduled(cron) ?? Number.NEGATIVE_INFINITY;
  let last = recorded;
  const active: CronWorkflowRun[] = [];
  let { succeeded = 0, failed = 0 } = before;
  const count = ({ status }: Workflow): void => {
    if (status?.phase === 'Succeeded') succeeded += 1;
    else failed += 1;
  };
  for (const entry of listed) {
    const run = byUid.get(entry.uid);
    if (run === undefined) continue;
    if (isCompleted(run.status?.phase)) count(run);
    else active.push(entry);
  }
  for (const run of runs) {
    if (listedUids.has(run.metadata.uid ?? '')) continue;
    const time = scheduledTimeOf(cron.metadata.name ?? '', run);
    const unrecorded = time !== undefined && time > recorded;
    if (unrecorded) last = Math.max(last, time);
    if (!isCompleted(run.status?.phase)) active.push(runReference(run));
    else if (unrecorded) count(run);
  }
  return {
    ...before,
    active,
    succeeded,
    failed,
    ...(last > recorded && { lastScheduledTime: timestamp(last) }),
    phase: before.phase === 'Stopped' ? 'Stopped' : 'Active',
  };
}

export function runReference({ metadata }: Workflow): CronWorkflowRun {
  return {
    apiVersion: apiVersionOf(workflows),
    kind: workflows.kind,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
  };
}

/** The runs that have ended and are more than is to be kept, of either outcome, oldest first by when they ended. */
export function surplusRuns(
  runs: readonly Workflow[],
  { keepSucceeded, keepFailed }: { readonly keepSucceeded: number; readonly keepFailed: number },
): readonly Workflow[] {
  const ended = runs
    .filter(({ metadata, status }) => isCompleted(status?.phase) && metadata.deletionTimestamp === undefined)
    .sort(
      (a, b) =>
        compareTexts(b.status?.finishedAt ?? '', a.status?.finishedAt ?? '') || compareTexts(b.metadata.name ?? '', a.metadata.name ?? ''),
    );
  const succeeded = ended.filter(({ status }) => status?.phase === 'Succeeded');
  const failed = ended.filter(({ status }) => status?.phase !== 'Succeeded');
  return [...succeeded.slice(keepSucceeded), ...failed.slice(keepFailed)].reverse();
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
