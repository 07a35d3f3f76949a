import { workflows } from '@arc/api/argo';
import type { ArtifactWorkflow, ArtifactWorkflowSpec, ArtifactWorkflowStatus } from '@arc/api/arc';
import { artifactWorkflowFinalizer, artifactWorkflows, isFinishedPhase, referenceName } from '@arc/api/arc';
import { ApiStatusError, deepEqual, isStatusReason } from '@arc/apimachinery';
import type { ReconcileResult, Reconciler } from '@arc/controller';
import { configSecretName, cronWorkflowName, workflowName } from '../identity/names.ts';
import { workflowRecord } from '../informers/workflow-record.ts';
import type { WorkflowRecord } from '../informers/workflow-record.ts';
import { endQuota, followQuota, isEvicted } from '../kueue/follow-quota.ts';
import { evictedReason, settleQuota, waitForQuota, withdrawWorkload } from '../kueue/wait-for-quota.ts';
import type { QuotaWait } from '../kueue/wait-for-quota.ts';
import { addFinalizer } from '../metadata/finalizers.ts';
import { timestamp } from '../metadata/conditions.ts';
import { deleteQuietly } from '../metadata/delete-quietly.ts';
import { controllerOf, isControlledBy } from '../metadata/owner.ts';
import { OwnWrites } from '../metadata/own-writes.ts';
import { RecentWrites } from '../metadata/recent-writes.ts';
import { isDeleting, keyOf } from '../metadata/references.ts';
import { mergePatchBetween, writeStatus } from '../metadata/write-status.ts';
import { ensureConfig, removeConfig } from '../rendered-config/ensure-config.ts';
import { hydrateRun, isByHand } from '../resolve/hydrate-run.ts';
import { lookupsOf } from '../resolve/lookups.ts';
import { isProblem } from '../resolve/problem.ts';
import { delayUntil } from '../retention/delay-until.ts';
import { runExpiry } from '../retention/expiry.ts';
import { scheduleOfRun } from './build-cron-workflow.ts';
import { buildWorkflow } from './build-workflow.ts';
import { cleanText } from './clean-text.ts';
import type { RunContext } from './context.ts';
import { withEndpointSettings } from './endpoint-settings.ts';
import { earlyLogTail } from './failure.ts';
import { endWorkflow, finalizeRun, readWorkflow } from './finalize.ts';
import { handOverOf } from './hand-over.ts';
import { jobOf } from './job-of.ts';
import { isSuspended, missingSecret, refusalOf } from './obstacles.ts';
import { carriedOver, readWhole, statusEnded, statusUnderWay } from './observe.ts';
import { carriedOutNow, isRestartWanted, nextForce, readRun, restart } from './restart.ts';
import { readRevived } from './revival.ts';
import { ensureSchedule, isRefusal, nextLook, runOutOfTurn, statusScheduled } from './schedule.ts';
import { releaseRuns } from './scheduled-runs.ts';
import { isEnded } from './slot-keeper.ts';

/** Writes the status of the run at hand; false when it had it already, or is gone. */
type StatusWriter = (status: ArtifactWorkflowStatus) => Promise<boolean>;

/** Brings the Workflow of an ArtifactWorkflow about, and its status to what the Workflow says. */
export function artifactWorkflowReconciler(context: RunContext): Reconciler {
  const recent = new RecentWrites(context.progressIntervalMs);
  /**
   * Runs whose Workflow this process created or saw, by uid: when it was created, or 0. The informer of ArtifactWorkflows may lag
   * behind that of Workflows, so that such a run can look as if it had never been started.
   */
  const begun = new Map<string, number>();
  /** Of runs under way with a step that has failed, by uid: the pod whose log was asked for. */
  const asked = new Map<string, string>();
  const delivered = departedDeliveries(context);
  const ownWrites = new OwnWrites();
  const forget = (run: ArtifactWorkflow): void => {
    recent.forget(run.metadata.uid ?? '');
    begun.delete(run.metadata.uid ?? '');
    asked.delete(run.metadata.uid ?? '');
    ownWrites.forget(run);
  };

  return async (request, signal) => {
    const known = context.artifactWorkflows.get(request.namespace, request.name);
    const revived = known === undefined ? undefined : await readRevived(context, known, signal);
    const run = revived ?? known;
    const key = keyOf(request.namespace, request.name);
    if (run === undefined || isDeleting(run)) {
      if (run !== undefined) {
        forget(run);
        await finalizeRun(context, run, () => delivered.get(run.metadata.uid ?? ''), signal);
      }
      // Until its Workflow is gone, its steps may still be ending.
      const ending = context.workflows.get(request.namespace, workflowName(request.name));
      if (ending === undefined || isEnded(ending.phase)) context.admission.leave(key);
      return undefined;
    }
    if (isFinishedPhase(run.status?.phase) && !isMisconfigured(run) && revived === undefined) {
      forget(run);
      context.admission.leave(key);
      return await reconcileEnded(context, run, signal);
    }
    if (ownWrites.isBehind(run)) return undefined;
    const write: StatusWriter = async (status) => {
      const written = await writeStatus(context.client, artifactWorkflows, run, status, signal);
      if (written !== undefined) ownWrites.note(run, written);
      return written !== undefined;
    };
    await addFinalizer(context.client, artifactWorkflows, run, artifactWorkflowFinalizer, signal);
    if (scheduleOfRun(run) !== undefined) return await keepSchedule(context, run, { key, recent, write }, signal);
    const uid = run.metadata.uid ?? '';
    const vanishable = begun.has(uid) || run.status?.activeWorkflowRef !== undefined;
    const workflow = await findWorkflow(context, run, vanishable, signal);
    if (workflow !== undefined) {
      const begunAt = begun.get(uid) ?? 0;
      begun.set(uid, begunAt);
      const lost = await followQuota(context, run, workflow, signal);
      if (lost !== undefined) return await evict(context, run, { message: lost, write }, signal);
      if (!isEnded(workflow.phase)) await keepConfig(context, run, signal);
      return await follow(context, run, workflow, { recent, write, begunAt, asked }, signal);
    }
    // Never start again what ended just now: only the server knows.
    if (vanishable && !(await isStillWanted(context, run, signal))) return undefined;
    const isVanished = vanishable && !isEvicted(context, run);
    const isLost = isVanished && context.handOver.onVanished === 'fail';
    if (isVanished) reportVanished(context, run, isLost ? 'what it has done is not known' : 'it is started again');
    begun.delete(uid);
    if (isLost) {
      await write(statusLost(context, run));
      return undefined;
    }
    const result = await start(context, run, { key, vanished: isVanished, write }, signal);
    if (result !== 'started') return result;
    begun.set(uid, context.clock.now());
    // Its events lead here sooner, if they come.
    return { requeueAfterMs: context.startIntervalMs };
  };
}

/** A run that has ended is run once more when somebody asks for it, and removed when its time is over. */
async function reconcileEnded(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<ReconcileResult | undefined> {
  await endQuota(context, run, signal);
  const now = context.clock.now();
  if (isRestartWanted(run, now)) {
    await restart(context, run, signal);
    return undefined;
  }
  await removeConfig(context, run, signal);
  // Runs of an Order are kept as long as the Order says.
  if (controllerOf(run)?.kind === 'Order') return undefined;
  const expiry = runExpiry(run.status ?? {}, run.spec ?? {});
  if (expiry !== undefined && expiry <= now) {
    await deleteQuietly(context.client, artifactWorkflows, run, signal);
    return undefined;
  }
  const requeueAfterMs = delayUntil(now, [expiry, nextForce(run, now)]);
  return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
}

/** True for a run that failed before it began because of what it refers to: it begins when that is mended. */
function isMisconfigured(run: ArtifactWorkflow): boolean {
  const { phase, reason, activeWorkflowRef } = run.status ?? {};
  return isByHand(run) && phase === 'Failed' && activeWorkflowRef === undefined && isProblem(reason);
}

/** The Workflow of a run. One that should be there but is not in the informer is looked for on the server. */
async function findWorkflow(
  context: RunContext,
  run: ArtifactWorkflow,
  vanishable: boolean,
  signal: AbortSignal,
): Promise<WorkflowRecord | undefined> {
  const { namespace = '', name = '' } = run.metadata;
  const known = context.workflows.get(namespace, workflowName(name));
  if (known !== undefined && isControlledBy(known, run)) return known;
  if (!vanishable) return undefined;
  const live = await readWorkflow(context, { namespace, name: workflowName(name) }, signal);
  return live !== undefined && isControlledBy(live, run) ? workflowRecord(live) : undefined;
}

/**
 * Of runs whose end is not written down, by uid: their Workflows that have delivered and are gone. That of a run which is being
 * deleted may go before anybody has read what it came to.
 */
function departedDeliveries({ workflows, artifactWorkflows: runs }: RunContext): ReadonlyMap<string, WorkflowRecord> {
  const delivered = new Map<string, WorkflowRecord>();
  workflows.addHandler({
    deleted: (workflow) => {
      const owner = controllerOf(workflow);
      const run = owner?.kind === 'ArtifactWorkflow' ? runs.get(workflow.metadata.namespace, owner.name) : undefined;
      if (run === undefined || workflow.phase !== 'Succeeded' || !isControlledBy(workflow, run)) return;
      if (!isFinishedPhase(run.status?.phase)) delivered.set(run.metadata.uid ?? '', workflow);
    },
  });
  runs.addHandler({
    updated: ({ metadata, status }) => void (isFinishedPhase(status?.phase) && delivered.delete(metadata.uid ?? '')),
    deleted: ({ metadata }) => void delivered.delete(metadata.uid ?? ''),
  });
  return delivered;
}

async function isStillWanted(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<boolean> {
  const live = await readRun(context, run, signal);
  // What it failed for before it began stays in its status until its Workflow has been looked at.
  return live !== undefined && (!isFinishedPhase(live.status?.phase) || isMisconfigured(live));
}

async function start(
  context: RunContext,
  written: ArtifactWorkflow,
  { key, vanished, write }: { readonly key: string; readonly vanished: boolean; readonly write: StatusWriter },
  signal: AbortSignal,
): Promise<ReconcileResult | 'started' | undefined> {
  const run = await prepared(context, written, { key, write }, signal);
  if (run === undefined) {
    await withdrawWorkload(context, written, signal);
    return undefined;
  }
  const carriedOut = carriedOutNow(run, context.clock.now());
  const waits = async ({ reason, message, leavesLine = false, requeueAfterMs }: QuotaWait): Promise<ReconcileResult | undefined> => {
    if (leavesLine) context.admission.leave(key);
    await write({ phase: 'Pending', reason, message, ...carriedOut });
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  };
  const held = await settleQuota(context, run, signal);
  if (held !== undefined) return await waits(held);
  const place = context.admission.tryEnter(jobOf(context, run));
  if (place !== undefined) {
    await write({ phase: 'Pending', reason: 'Queued', message: place.message, queuePosition: place.position, ...carriedOut });
    return undefined;
  }
  const handOver = handOverOf(context, run);
  const pending = await waitForQuota(context, run, handOver, signal);
  if (pending !== undefined) return await waits(pending);
  const built = buildWorkflow(run, handOver);
  const workflow = { ...built, spec: withEndpointSettings(context, run, built.spec) };
  try {
    if (run.spec.renderConfig === true && (await ensureConfig(context, run, signal)) === 'name-taken') {
      return await waitForName(context, run, { key, write, what: `Secret ${JSON.stringify(configSecretName(run.metadata.name ?? ''))}` });
    }
    await context.client.create(workflows, workflow, { signal });
  } catch (error) {
    if (!isStatusReason(error, 'AlreadyExists')) {
      // Whoever is next must not wait for this one's backoff.
      context.admission.leave(key);
      if (error instanceof ApiStatusError && !error.retryable) {
        await write({ phase: 'Pending', reason: 'CreateFailed', message: error.message, ...carriedOut });
      }
      throw error;
    }
    return await takeOver(context, run, key, write, signal);
  }
  const name = workflow.metadata.name ?? '';
  context.events.event(run, { type: 'Normal', reason: 'Created', action: 'Create', note: `created Workflow ${name}` });
  if (vanished) {
    await write({
      phase: 'Pending',
      reason: 'WorkflowVanished',
      message: `its Workflow ${name} disappeared before it had ended and was started again`,
      activeWorkflowRef: { name },
      ...carriedOut,
    });
  }
  return 'started';
}

/** Ends the Workflow of a run whose quota is wanted back. When it is gone, its event leads to where that is given back. */
async function evict(
  context: RunContext,
  run: ArtifactWorkflow,
  { message, write }: { readonly message: string; readonly write: StatusWriter },
  signal: AbortSignal,
): Promise<undefined> {
  const name = workflowName(run.metadata.name ?? '');
  const text = cleanText(`${message}; its Workflow ${name} is ended, and made again when it is admitted`, { maxBytes: 512 });
  const status = { ...carriedOver(run.status), phase: 'Pending', reason: evictedReason, message: text, activeWorkflowRef: { name } };
  if (await write(status)) context.events.event(run, { type: 'Warning', reason: evictedReason, action: 'Stop', note: text });
  await endWorkflow(context, run, signal);
}

/** Brings the CronWorkflow of a scheduled run about, and its status to what the CronWorkflow and its Workflows say. */
async function keepSchedule(
  context: RunContext,
  written: ArtifactWorkflow,
  { key, recent, write }: { readonly key: string; readonly recent: RecentWrites; readonly write: StatusWriter },
  signal: AbortSignal,
): Promise<ReconcileResult | undefined> {
  const isBegun = written.status?.lastScheduled !== undefined || written.status?.phase === 'Active';
  const whole = isBegun ? completed(context, written) : await prepared(context, written, { key, write }, signal);
  const cron = scheduleOfRun(written);
  if ((whole === undefined && !isBegun) || cron === undefined) return undefined;
  const run = whole ?? written;
  if (isBegun) await keepConfig(context, run, signal);
  else if (run.spec?.renderConfig === true && (await ensureConfig(context, run, signal)) === 'name-taken') {
    return await waitForName(context, run, { key, write, what: `Secret ${JSON.stringify(configSecretName(run.metadata.name ?? ''))}` });
  }
  try {
    const found = await ensureSchedule(context, run, { cron, isComplete: whole !== undefined }, signal);
    // What is due waits until it is known again what to transfer. Without a schedule it says so.
    if (found === 'missing') await prepared(context, written, { key, write }, signal);
    if (found === 'missing' || whole === undefined) return undefined;
    if (found === 'name-taken') {
      const what = `CronWorkflow ${JSON.stringify(cronWorkflowName(run.metadata.name ?? ''))}`;
      return await waitForName(context, run, { key, write, what });
    }
    const carriedOut = await runOutOfTurn(context, run, found.cron, signal);
    const waits = await releaseRuns(context, run, found.cron, signal);
    const status = { ...(await statusScheduled(context, run, { cron: found.cron, waits }, signal)), ...carriedOut };
    const later = await writeSpaced(context, written, status, { recent, write });
    const now = context.clock.now();
    return later ?? nextLook(status, now, nextForce(run, now));
  } catch (error) {
    if (isRefusal(error)) {
      await write({ ...written.status, phase: 'Pending', reason: 'CreateFailed', message: error.message });
    }
    throw error;
  }
}

/** A run with all it needs; undefined when something is missing or wrong, which its status says then. */
async function prepared(
  context: RunContext,
  written: ArtifactWorkflow,
  { key, write }: { readonly key: string; readonly write: StatusWriter },
  signal: AbortSignal,
): Promise<(ArtifactWorkflow & { readonly spec: ArtifactWorkflowSpec }) | undefined> {
  const hydration = isByHand(written) ? hydrateRun(written, lookupsOf(context)) : { spec: written.spec ?? {} };
  if (hydration.problem !== undefined) {
    context.admission.leave(key);
    // Failed as far as people are concerned, but looked at again when what it refers to changes.
    const phase = hydration.blocked ? 'Pending' : 'Failed';
    const { reason, message } = hydration.problem;
    if (await write({ phase, reason, message, ...carriedOutNow(written, context.clock.now()) })) {
      context.events.event(written, { type: 'Warning', action: 'Start', reason, note: message.slice(0, 500) });
    }
    return undefined;
  }
  const run = { ...written, spec: hydration.spec };
  const carriedOut = carriedOutNow(run, context.clock.now());
  const refusal = await refusalOf(context, run, signal);
  if (refusal !== undefined) {
    context.admission.leave(key);
    const ended = timestamp(context.clock.now());
    await write({ phase: 'Failed', ...refusal, completionTime: ended, failureTime: ended, ...carriedOut });
    context.events.event(run, { type: 'Warning', action: 'Start', reason: refusal.reason, note: refusal.message });
    return undefined;
  }
  if (isSuspended(context, run)) {
    context.admission.leave(key);
    await write({ phase: 'Pending', reason: 'Suspended', message: 'starts when its Order is resumed', ...carriedOut });
    return undefined;
  }
  const missing = missingSecret(context, run);
  if (missing !== undefined) {
    context.admission.leave(key);
    await write({ phase: 'Pending', reason: 'MissingSecret', message: missing, ...carriedOut });
    return undefined;
  }
  return run;
}

/** A Workflow of the name exists that the informer does not know: ours from before a crash, or somebody else's. */
async function takeOver(
  context: RunContext,
  run: ArtifactWorkflow,
  key: string,
  write: StatusWriter,
  signal: AbortSignal,
): Promise<ReconcileResult | 'started' | undefined> {
  const name = workflowName(run.metadata.name ?? '');
  const live = await readWorkflow(context, { namespace: run.metadata.namespace ?? '', name }, signal);
  if (live !== undefined && isControlledBy(live, run)) {
    await write(statusUnderWay(asStarted(context, run), workflowRecord(live)));
    return 'started';
  }
  if (live === undefined) {
    context.admission.leave(key);
    return { requeueAfterMs: 0 };
  }
  return await waitForName(context, run, { key, write, what: `Workflow ${JSON.stringify(name)}` });
}

/** Something that is not of this run has a name it needs. */
async function waitForName(
  context: RunContext,
  run: ArtifactWorkflow,
  { key, write, what }: { readonly key: string; readonly write: StatusWriter; readonly what: string },
): Promise<ReconcileResult> {
  context.admission.leave(key);
  await write({
    phase: 'Pending',
    reason: 'NameTaken',
    ...carriedOutNow(run, context.clock.now()),
    message: `a ${what} that is not of this ArtifactWorkflow exists in namespace ${JSON.stringify(run.metadata.namespace)}`,
  });
  // What is foreign carries no label of ours, so no event will tell that it is gone.
  return { requeueAfterMs: 30_000 };
}

/** A run that began some time ago, as it would begin now; undefined while that is not known: it goes on as it is. */
function completed(context: RunContext, written: ArtifactWorkflow): ArtifactWorkflow | undefined {
  const spec = isByHand(written) ? hydrateRun(written, lookupsOf(context)).spec : written.spec;
  return spec === undefined ? undefined : { ...written, spec };
}

/** Keeps the configuration of a run under way as it should be, as long as that is known. */
async function keepConfig(context: RunContext, written: ArtifactWorkflow, signal: AbortSignal): Promise<void> {
  const spec = completed(context, written)?.spec;
  if (spec?.renderConfig !== true || missingSecret(context, { ...written, spec }) !== undefined) return;
  const known = (name: string | undefined): boolean =>
    name === undefined || context.endpoints.get(written.metadata.namespace, name) !== undefined;
  if (!known(referenceName(spec.srcRef)) || !known(referenceName(spec.dstRef))) return;
  await ensureConfig(context, { ...written, spec }, signal);
}

/** The run of a Workflow that is there, though its status may not say so yet: what a start carries out is carried out. */
function asStarted(context: RunContext, run: ArtifactWorkflow): ArtifactWorkflow {
  if (run.status?.activeWorkflowRef !== undefined) return run;
  return { ...run, status: { ...run.status, ...carriedOutNow(run, context.clock.now()) } };
}

async function follow(
  context: RunContext,
  seen: ArtifactWorkflow,
  workflow: WorkflowRecord,
  {
    recent,
    write,
    begunAt,
    asked,
  }: {
    readonly recent: RecentWrites;
    readonly write: StatusWriter;
    readonly begunAt: number;
    readonly asked: Map<string, string>;
  },
  signal: AbortSignal,
): Promise<ReconcileResult | undefined> {
  const run = asStarted(context, seen);
  if (isEnded(workflow.phase)) {
    const status = await statusEnded(context, run, { workflow, earlierLogTail: seen.status?.logTail }, signal);
    if (await write(status)) reportEnd(context, run, status);
    return undefined;
  }
  // It is being deleted by somebody; when it is gone the run starts again.
  if (isDeleting(workflow)) return undefined;

  // Most begin to run at once, and many end soon: that is one write or two instead of three.
  const waitMs = begunAt + context.startIntervalMs - context.clock.now();
  if (seen.status?.activeWorkflowRef === undefined && waitMs > 0) return { requeueAfterMs: Math.min(waitMs, context.startIntervalMs) };
  const logTail = await logTailUnderWay(context, seen, workflow, { asked, signal });
  const status = { ...keepVanishedNote(run, statusUnderWay(run, workflow)), ...(logTail !== undefined && { logTail }) };
  return await writeSpaced(context, seen, status, { recent, write });
}

/** What a step that has failed has printed last, asked for once: what is known of it, if it is not to be had. */
async function logTailUnderWay(
  context: RunContext,
  run: ArtifactWorkflow,
  record: WorkflowRecord,
  { asked, signal }: { readonly asked: Map<string, string>; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const uid = run.metadata.uid ?? '';
  const { failedPod } = record;
  if (failedPod === undefined) return undefined;
  if (asked.get(uid) === failedPod) return run.status?.logTail;
  const workflow = await readWhole(context, record, signal);
  asked.set(uid, failedPod);
  return workflow === undefined
    ? run.status?.logTail
    : ((await earlyLogTail(context, { workflow, pod: failedPod }, signal)) ?? run.status?.logTail);
}

/** Writes a status, but mere progress only so often; then says when. */
async function writeSpaced(
  context: RunContext,
  run: ArtifactWorkflow,
  status: ArtifactWorkflowStatus,
  { recent, write }: { readonly recent: RecentWrites; readonly write: StatusWriter },
): Promise<ReconcileResult | undefined> {
  const before = run.status ?? {};
  if (mergePatchBetween(before, status) === undefined) return undefined;
  const uid = run.metadata.uid ?? '';
  const now = context.clock.now();
  const waitMs = recent.wait(uid, now);
  if (waitMs > 0 && isMereProgress(before, status)) return { requeueAfterMs: waitMs };
  await write(status);
  recent.note(uid, now);
  return undefined;
}

/** Until the new Workflow runs, the status goes on telling why there is a new one. */
function keepVanishedNote(run: ArtifactWorkflow, status: ArtifactWorkflowStatus): ArtifactWorkflowStatus {
  const { reason, message } = run.status ?? {};
  if (status.phase !== 'Pending' || reason !== 'WorkflowVanished' || message === undefined) return status;
  return { ...status, reason, message };
}

function isMereProgress(before: ArtifactWorkflowStatus, after: ArtifactWorkflowStatus): boolean {
  const essence = ({
    progress: _progress,
    progressUnit: _unit,
    steps: _steps,
    message: _message,
    ...rest
  }: ArtifactWorkflowStatus): object => rest;
  return deepEqual(essence(before), essence(after));
}

/** The status of a run whose Workflow has vanished and is not to be made again: it is no success, whatever it has done. */
function statusLost({ clock }: RunContext, run: ArtifactWorkflow): ArtifactWorkflowStatus {
  const now = timestamp(clock.now());
  const name = workflowName(run.metadata.name ?? '');
  return {
    ...carriedOver(run.status),
    ...{ phase: 'Failed', reason: 'WorkflowVanished', completionTime: now, failureTime: now, succeeded: 0, failed: 1 },
    message: `its Workflow ${name} disappeared before it had ended, so what it has done is not known`,
    activeWorkflowRef: { name },
  };
}

function reportVanished(context: RunContext, run: ArtifactWorkflow, consequence: string): void {
  context.events.event(run, {
    type: 'Warning',
    reason: 'WorkflowVanished',
    action: 'Start',
    note: `Workflow ${workflowName(run.metadata.name ?? '')} disappeared before it had ended; ${consequence}`,
  });
}

function reportEnd(context: RunContext, run: ArtifactWorkflow, status: ArtifactWorkflowStatus): void {
  const name = status.activeWorkflowRef?.name;
  if (status.phase === 'Succeeded') {
    context.events.event(run, { type: 'Normal', reason: 'Succeeded', action: 'Finish', note: `Workflow ${name} succeeded` });
    return;
  }
  const note = `Workflow ${name} ended as ${status.phase}: ${status.message?.slice(0, 500)}`;
  context.events.event(run, { type: 'Warning', reason: 'Failed', action: 'Finish', note });
}
