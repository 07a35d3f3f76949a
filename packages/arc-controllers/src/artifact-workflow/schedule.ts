import type { CronWorkflow, WorkflowCondition } from '@arc/api/argo';
import { cronWorkflows, workflows } from '@arc/api/argo';
import type { ArtifactWorkflow, ArtifactWorkflowStatus, Cron } from '@arc/api/arc';
import { lastRunFailed } from '@arc/api/arc';
import { ApiStatusError, deepEqual, isStatusReason } from '@arc/apimachinery';
import type { ReconcileResult } from '@arc/controller';
import { Timetable } from '@arc/kernel';
import type { WorkflowRecord } from '../informers/workflow-record.ts';
import { timestamp } from '../metadata/conditions.ts';
import { isControlledBy } from '../metadata/owner.ts';
import { isDeleting } from '../metadata/references.ts';
import { delayUntil } from '../retention/delay-until.ts';
import { buildCronWorkflow, buildExtraRun } from './build-cron-workflow.ts';
import { cleanText } from './clean-text.ts';
import type { RunContext } from './context.ts';
import { readSchedule } from './end-schedule.ts';
import { withEndpointSettings } from './endpoint-settings.ts';
import { handOverOf } from './hand-over.ts';
import { isSuspended } from './obstacles.ts';
import { carriedOver, statusEnded, statusUnderWay } from './observe.ts';
import { carriedOutNow, extraRunOf } from './restart.ts';
import type { CarriedOut } from './restart.ts';
import { runsOf } from './scheduled-runs.ts';
import type { Waiting } from './scheduled-runs.ts';
import { isEnded } from './slot-keeper.ts';

const maxMessage = 2048;

/** What there is of the schedule of a run, or what has taken its name. */
type ScheduleFound = { readonly cron: CronWorkflow } | 'name-taken' | 'missing';

/** What of a CronWorkflow is made of the Endpoints and the type of its run. */
const ofTransfer: ReadonlySet<string> = new Set(['workflowMetadata', 'workflowSpec']);

/**
 * Makes the CronWorkflow of a run, and makes it again what it has to be when the Order is suspended or resumed, or somebody
 * else has changed it. While it is not known what the run transfers, only when it runs is put right, of one that is there.
 *
 * @throws ApiStatusError when the server will not have it
 */
export async function ensureSchedule(
  context: RunContext,
  run: ArtifactWorkflow,
  { cron, isComplete }: { readonly cron: Cron; readonly isComplete: boolean },
  signal: AbortSignal,
): Promise<ScheduleFound> {
  const built = buildCronWorkflow(run, cron, { suspended: isSuspended(context, run), handOver: handOverOf(context, run) });
  const wanted = { ...built, spec: { ...built.spec, workflowSpec: withEndpointSettings(context, run, built.spec.workflowSpec) } };
  const { namespace = '', name = '' } = wanted.metadata;
  const seen = context.cronWorkflows.get(namespace, name);
  const known = seen !== undefined && isControlledBy(seen, run) ? seen : await readSchedule(context, { namespace, name }, signal);
  if (known === undefined) return isComplete ? await create(context, run, wanted, signal) : 'missing';
  if (!isControlledBy(known, run)) return 'name-taken';
  if (isDeleting(known)) return { cron: known };
  const changes = Object.entries(wanted.spec).filter(
    ([field, value]) => (isComplete || !ofTransfer.has(field)) && !deepEqual(known.spec[field as keyof CronWorkflow['spec']], value),
  );
  if (changes.length === 0) return { cron: known };
  // A merge patch would keep what somebody has added inside a field.
  const operations = changes.map(([field, value]) => ({ op: 'add', path: `/spec/${field}`, value }));
  const itself = { op: 'test', path: '/metadata/uid', value: known.metadata.uid };
  const patched = await context.client.patch<CronWorkflow>(cronWorkflows, { namespace, name }, [itself, ...operations], {
    signal,
    patchType: 'json',
  });
  return { cron: patched };
}

async function create(context: RunContext, run: ArtifactWorkflow, wanted: CronWorkflow, signal: AbortSignal): Promise<ScheduleFound> {
  const { namespace = '', name = '' } = wanted.metadata;
  try {
    const cron = await context.client.create<CronWorkflow>(cronWorkflows, wanted, { signal });
    context.events.event(run, { type: 'Normal', reason: 'Created', action: 'Create', note: `created CronWorkflow ${name}` });
    return { cron };
  } catch (error) {
    if (!isStatusReason(error, 'AlreadyExists')) throw error;
    const made = await readSchedule(context, { namespace, name }, signal);
    if (made === undefined) throw error;
    return isControlledBy(made, run) ? { cron: made } : 'name-taken';
  }
}

/**
 * Starts the run out of turn somebody asks for, once no other one is under way, whatever the concurrency policy: two could
 * write to the same destination. Returns which requests are carried out.
 */
export async function runOutOfTurn(
  context: RunContext,
  run: ArtifactWorkflow,
  cron: CronWorkflow,
  signal: AbortSignal,
): Promise<CarriedOut> {
  const now = context.clock.now();
  const wanted = extraRunOf(run, now);
  if (wanted === undefined) return carriedOutNow(run, now);
  const isBusy = runsOf(context, cron).some(({ phase }) => !isEnded(phase)) || (cron.status?.active ?? []).length > 0;
  if (cron.spec.suspend === true || isDeleting(cron) || isBusy) {
    const { lastForceAt, lastRetry } = run.status ?? {};
    return { ...(lastForceAt !== undefined && { lastForceAt }), ...(lastRetry !== undefined && { lastRetry }) };
  }
  try {
    await context.client.create(workflows, buildExtraRun(cron, wanted), { signal });
    context.events.event(run, { type: 'Normal', reason: 'Restarting', action: 'Start', note: 'runs out of turn, as was asked for' });
  } catch (error) {
    if (!isStatusReason(error, 'AlreadyExists')) throw error;
  }
  return carriedOutNow(run, now);
}

/**
 * The status of a scheduled run: Active from the first day to the last. It tells when it ran and runs next, how far the run
 * under way is, and how the last one that ended did.
 */
export async function statusScheduled(
  context: RunContext,
  run: ArtifactWorkflow,
  { cron, waits }: { readonly cron: CronWorkflow; readonly waits: Waiting | undefined },
  signal: AbortSignal,
): Promise<ArtifactWorkflowStatus> {
  const refused = cron.status?.conditions?.find(({ type, status }) => type === 'SpecError' && status === 'True');
  const unsubmitted = cron.status?.conditions?.find(({ type, status }) => type === 'SubmissionError' && status === 'True');
  const runs = runsOf(context, cron);
  const active = runs.filter(({ phase, isHeld }) => !isEnded(phase) && !isHeld).at(-1);
  const { lastScheduledTime, succeeded = 0, failed = 0 } = cron.status ?? {};
  const next = nextRun(cron, context.clock.now());
  const { activeWorkflowRef: running, progress, progressUnit, startTime, steps } = active === undefined ? {} : statusUnderWay(run, active);
  const status: ArtifactWorkflowStatus = {
    ...carriedOver(run.status),
    ...(waits !== undefined && { reason: 'Queued', message: waits.message }),
    ...(waits?.position !== undefined && { queuePosition: waits.position }),
    // How the last one ended is not told again, so it goes first.
    ...(await lastOutcome(context, run, runs, signal)),
    phase: 'Active',
    ...(typeof lastScheduledTime === 'string' && { lastScheduled: lastScheduledTime }),
    ...(next !== undefined && { nextScheduled: timestamp(next) }),
    succeeded,
    failed,
    ...(running !== undefined && { activeWorkflowRef: running }),
    ...(progress !== undefined && { progress }),
    ...(progressUnit !== undefined && { progressUnit }),
    ...(startTime !== undefined && { startTime }),
    ...(steps !== undefined && { steps }),
  };
  if (refused !== undefined) return { ...status, phase: 'Pending', reason: 'ScheduleRefused', message: textOf(refused) };
  return unsubmitted === undefined ? status : { ...status, reason: 'SubmissionError', message: textOf(unsubmitted) };
}

function textOf({ message = '' }: WorkflowCondition): string {
  return cleanText(message, { maxBytes: maxMessage });
}

/** What is known of the run that ended last, which is read only once: its Workflow may be gone the next time. */
async function lastOutcome(
  context: RunContext,
  run: ArtifactWorkflow,
  runs: readonly WorkflowRecord[],
  signal: AbortSignal,
): Promise<ArtifactWorkflowStatus> {
  const before = run.status ?? {};
  const ended = runs
    .filter(({ phase }) => isEnded(phase))
    .sort((a, b) => ((a.finishedAt ?? '') < (b.finishedAt ?? '') ? -1 : 1))
    .at(-1);
  const isKnown =
    ended === undefined || nameOf(ended) === before.lastWorkflowRef?.name || (ended.finishedAt ?? '') < (before.completionTime ?? '');
  if (isKnown) {
    const { reason, message, logTail, receipt, completionTime, failureTime, lastWorkflowRef } = before;
    const outcome = {
      ...(logTail !== undefined && { logTail }),
      ...(receipt !== undefined && { receipt }),
      ...(completionTime !== undefined && { completionTime }),
      ...(failureTime !== undefined && { failureTime }),
      ...(lastWorkflowRef !== undefined && { lastWorkflowRef }),
    };
    return reason === lastRunFailed ? { ...outcome, reason, ...(message !== undefined && { message }) } : outcome;
  }
  const { phase, message, logTail, receipt, completionTime, failureTime } = await statusEnded(context, run, { workflow: ended }, signal);
  const failure = phase === 'Succeeded' ? undefined : `the last run failed: ${message ?? ''}`;
  const name = nameOf(ended);
  context.events.event(run, {
    type: failure === undefined ? 'Normal' : 'Warning',
    reason: failure === undefined ? 'Succeeded' : 'Failed',
    action: 'Finish',
    note: failure === undefined ? `Workflow ${name} succeeded` : `Workflow ${name} ended as ${phase}: ${message?.slice(0, 500)}`,
  });
  return {
    lastWorkflowRef: { name },
    ...(failure !== undefined && { reason: lastRunFailed, message: failure }),
    ...(logTail !== undefined && { logTail }),
    ...(receipt !== undefined && { receipt }),
    ...(completionTime !== undefined && { completionTime }),
    ...(failureTime !== undefined && { failureTime }),
  };
}

/** When the status of a scheduled run is to be looked at again, milliseconds from now. */
export function nextLook({ nextScheduled }: ArtifactWorkflowStatus, now: number, force: number | undefined): ReconcileResult | undefined {
  const next = Date.parse(nextScheduled ?? '');
  // A little later, so that an engine has had the time to say what it did.
  const requeueAfterMs = delayUntil(now, [Number.isNaN(next) ? undefined : next + 1000, force]);
  return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
}

/** The next time of a schedule that is not suspended; the zones and rules are those of the engine. */
function nextRun({ metadata, spec, status }: CronWorkflow, now: number): number | undefined {
  if (spec.suspend === true || status?.phase === 'Stopped') return undefined;
  const { schedules = [], timezone } = spec;
  try {
    return new Timetable(schedules, { timezone, anchor: Date.parse(metadata.creationTimestamp ?? '') || 0 }).next(now);
  } catch {
    return undefined;
  }
}

/** True for an answer that trying again does not change. */
export function isRefusal(error: unknown): error is ApiStatusError {
  return error instanceof ApiStatusError && !error.retryable && !isStatusReason(error, 'Conflict');
}

function nameOf({ metadata }: WorkflowRecord): string {
  return metadata.name ?? '';
}
