import type { ArtifactWorkflow, ArtifactWorkflowStatus } from '@arc/api/arc';
import { readIfThere } from '@arc/kube-client';
import {
  artifactWorkflows,
  forceAtAnnotation,
  hasFailed,
  isFinishedPhase,
  lastRunFailed,
  parseForceAt,
  retryAnnotation,
} from '@arc/api/arc';
import { shortHash } from '../identity/content-hash.ts';
import { workflowName } from '../identity/names.ts';
import { timestamp } from '../metadata/conditions.ts';
import { controllerOf, isControlledBy } from '../metadata/owner.ts';
import { isDeleting, refOf } from '../metadata/references.ts';
import { ownValue, writeStatus } from '../metadata/write-status.ts';
import { scheduleOfRun } from './build-cron-workflow.ts';
import type { RunContext } from './context.ts';
import { removeWorkload } from '../kueue/follow-quota.ts';
import { endWorkflow } from './finalize.ts';

/** The part of a status that remembers which requests were carried out. */
export type CarriedOut = Pick<ArtifactWorkflowStatus, 'lastRetry' | 'lastForceAt'>;

/** What a start carries out: every request made up to now. */
export function carriedOutNow(run: ArtifactWorkflow, now: number): CarriedOut {
  const retry = ownValue(run.metadata.annotations, retryAnnotation) ?? '';
  const force = forceAtOf(run);
  const lastRetry = retry === '' ? run.status?.lastRetry : retry;
  const lastForceAt = force === undefined || force > now ? run.status?.lastForceAt : timestamp(force);
  return { ...(lastRetry !== undefined && { lastRetry }), ...(lastForceAt !== undefined && { lastForceAt }) };
}

/** True when a run that has ended is to run once more: it failed and is to be retried, or it is forced. */
export function isRestartWanted(run: ArtifactWorkflow, now: number): boolean {
  const before = run.status ?? {};
  if (!isFinishedPhase(before.phase)) return false;
  const { lastRetry, lastForceAt } = carriedOutNow(run, now);
  return (hasFailed(before.phase) && lastRetry !== before.lastRetry) || lastForceAt !== before.lastForceAt;
}

/** When a force-at annotation comes into force, milliseconds since the epoch; undefined when it has, or there is none. */
export function nextForce(run: ArtifactWorkflow, now: number): number | undefined {
  const force = forceAtOf(run);
  return force !== undefined && force > now ? force : undefined;
}

/**
 * Makes a run that has ended one that has not begun, once its Workflow is gone. Each step leads to an event that leads
 * here again.
 */
export async function restart(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<void> {
  if (await endWorkflow(context, run, signal)) return;
  if (await removeWorkload(context, run, signal)) return;
  const { namespace = '', name = '' } = run.metadata;
  // As long as the informer shows the old Workflow, it would be taken for that of the new attempt.
  const shown = context.workflows.get(namespace, workflowName(name));
  if (shown !== undefined && isControlledBy(shown, run)) return;
  const live = await readRun(context, run, signal);
  const now = context.clock.now();
  if (live === undefined || !isRestartWanted(live, now)) return;
  const status: ArtifactWorkflowStatus = {
    phase: 'Pending',
    reason: 'Restarting',
    message: `the attempt that ended as ${live.status?.phase} is followed by another one`,
    ...carriedOutNow(live, now),
  };
  await writeStatus(context.client, artifactWorkflows, live, status, signal);
  context.events.event(run, { type: 'Normal', reason: 'Restarting', action: 'Start', note: `starts again after ${live.status?.phase}` });
}

/** The informer keeps only the outcome of what has ended; undefined when it is gone or going. */
export async function readRun(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<ArtifactWorkflow | undefined> {
  const live = await readIfThere<ArtifactWorkflow>(context.client, artifactWorkflows, refOf(run), signal);
  return live !== undefined && live.metadata.uid === run.metadata.uid && !isDeleting(live) ? live : undefined;
}

/** What a scheduled run is asked to do out of turn. */
export interface ExtraRun {
  /** The same for the same request, so that it is carried out once. */
  readonly suffix: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** The request for a run out of turn that has not been carried out: it is forced, or its last run failed and is retried. */
export function extraRunOf(run: ArtifactWorkflow, now: number): ExtraRun | undefined {
  const { lastForceAt, lastRetry, reason } = run.status ?? {};
  const wanted = carriedOutNow(run, now);
  const force = forceAtOf(run);
  if (force !== undefined && wanted.lastForceAt !== lastForceAt) return { suffix: String(force / 1000), time: force };
  if (wanted.lastRetry === undefined || wanted.lastRetry === lastRetry || reason !== lastRunFailed) return undefined;
  return { suffix: shortHash('retry', wanted.lastRetry).slice(0, 10), time: now };
}

/** Of a run of an Order it is the Order that is forced, which passes it on to what is scheduled. */
function forceAtOf(run: ArtifactWorkflow): number | undefined {
  if (controllerOf(run)?.kind === 'Order' && scheduleOfRun(run) === undefined) return undefined;
  const seconds = parseForceAt(ownValue(run.metadata.annotations, forceAtAnnotation));
  return seconds === undefined ? undefined : seconds * 1000;
}
