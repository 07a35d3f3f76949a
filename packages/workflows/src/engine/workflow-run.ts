import type { NodeStatus, Workflow, WorkflowSpec, WorkflowStatus } from '@arc/api/argo';
import { workflows } from '@arc/api/argo';
import { isStatusReason } from '@arc/apimachinery';
import type { ReconcileRequest, ReconcileResult } from '@arc/controller';
import type { Clock, Logger } from '@arc/kernel';
import { isAbort, messageOf } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';
import { isDeepStrictEqual } from 'node:util';
import { podNameOf } from '../model/node-names.ts';
import { WorkflowError } from '../model/workflow-error.ts';
import { complete, isCompleted, plan, setCondition } from '../planner/plan.ts';
import type { Plan } from '../planner/plan.ts';
import { isFulfilled } from '../planner/planning.ts';
import type { PodPlan } from '../planner/planning.ts';
import { startNode } from '../planner/pod.ts';
import type { Attempt, AttemptId, Observation, Runner } from '../runner/runner.ts';
import { admit } from './admit.ts';
import { buildAttempt } from './build-attempt.ts';
import {
  clusterWorkflowTemplateLabel,
  completedLabel,
  engineFinalizer,
  phaseLabel,
  podNameFormatAnnotation,
  rewrittenPathsAnnotation,
  runnerAnnotation,
  siteAnnotation,
  workflowTemplateLabel,
} from './labels.ts';
import type { PodMirror } from './pod-mirror.ts';
import { podObject, podStatus } from './pod-object.ts';
import { MissingReferenceError } from './references.ts';
import { resolveSpec } from './resolve-template.ts';
import type { Slots } from './slots.ts';
import type { WorkflowCache } from './workflow-cache.ts';

export interface RunContext {
  readonly client: KubeClient;
  readonly runner: Runner;
  readonly cache: WorkflowCache;
  readonly slots: Slots;
  readonly pods: PodMirror;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Steps that could not be started, by attempt; told to the planner as their outcome. */
  readonly failedStarts: Map<string, string>;
  /** Where volumes are; undefined where there is one engine only. */
  readonly site: string | undefined;
  readonly enqueue: (request: ReconcileRequest) => void;
  /** Starts nothing more: the engine is ending. */
  readonly isClosing: () => boolean;
}

/** How soon a step that waits for a Secret or ConfigMap looks again. */
const referencePollMs = 3000;

interface Start {
  readonly pod: PodPlan;
  readonly attempt: Attempt;
}

/**
 * Brings one Workflow as far as it can go now: asks the runner what happened, plans, writes the status, and only then
 * does what the plan asks for, so that nothing ever runs that is not recorded.
 */
export async function runWorkflow(
  context: RunContext,
  request: ReconcileRequest,
  signal: AbortSignal,
): Promise<ReconcileResult | undefined> {
  const workflow = context.cache.get(request);
  if (workflow === undefined) return undefined;
  try {
    if (workflow.metadata.deletionTimestamp !== undefined) return await finalize(context, workflow, signal);
    if (isCompleted(workflow.status?.phase)) return await cleanUp(context, workflow, signal);
    return await advance(context, workflow, request, signal);
  } catch (error) {
    if (isStatusReason(error, 'Conflict')) {
      await refresh(context, request, signal);
      context.enqueue(request);
      return undefined;
    }
    if (isStatusReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

async function refresh(context: RunContext, { namespace, name }: ReconcileRequest, signal: AbortSignal): Promise<void> {
  const ref = { name, ...(namespace !== undefined && { namespace }) };
  context.cache.put(await context.client.get<Workflow>(workflows, ref, { signal }));
}

async function advance(
  context: RunContext,
  workflow: Workflow,
  request: ReconcileRequest,
  signal: AbortSignal,
): Promise<ReconcileResult | undefined> {
  const next = structuredClone(workflow);
  const status = (next.status ??= {});
  const begun = (status.phase ?? '') !== '';
  if (!begun) {
    const refusal = await begin(context, next, status, signal);
    if (refusal !== undefined) {
      next.status = complete(status, 'Error', refusal, context.clock.now());
      await write(context, workflow, next, signal);
      return undefined;
    }
  }
  const spec = effectiveSpec(next);
  const lacking = takeToSite(context.site, next, spec);
  if (lacking !== undefined) {
    next.status = complete(status, 'Error', lacking, context.clock.now());
    await write(context, workflow, next, signal);
    return undefined;
  }
  const uid = workflow.metadata.uid ?? '';
  const observations = await observe(context, uid, status);
  const planned = plan({ workflow: identityOf(next), spec, status, observations, now: context.clock.now() });
  next.status = planned.status;
  const { starts, waiting } = context.isClosing()
    ? { starts: [], waiting: false }
    : await prepare(context, next, spec, planned, request, signal);
  try {
    await write(context, workflow, next, signal);
  } catch (error) {
    for (const { attempt } of starts) releaseSlot(context, attempt);
    throw error;
  }
  await settle(context, uid, next.status);
  await carryOut(context, next, spec, planned, starts);
  mirrorChanges(context, { old: workflow, next, spec });
  if (isCompleted(next.status.phase)) return cleanUp(context, next, signal);
  return wakeAfter(context, planned, waiting);
}

/** Settles what the Workflow runs; a text means that it may not. */
async function begin(context: RunContext, workflow: Workflow, status: WorkflowStatus, signal: AbortSignal): Promise<string | undefined> {
  try {
    const spec = status.storedWorkflowTemplateSpec ?? (await resolveSpec(context.client, workflow, signal));
    if (spec !== workflow.spec) status.storedWorkflowTemplateSpec = spec;
    const admission = await admit(workflow.metadata.name ?? '', spec, context.runner);
    if (admission.refused !== undefined) return admission.refused;
    if (admission.warning !== undefined) setCondition(status, { type: 'SpecWarning', status: 'True', message: admission.warning });
    const { labels, annotations } = spec.workflowMetadata ?? {};
    const { workflowTemplateRef } = workflow.spec;
    const templateLabel = workflowTemplateRef?.clusterScope === true ? clusterWorkflowTemplateLabel : workflowTemplateLabel;
    workflow.metadata.labels = {
      ...labels,
      ...workflow.metadata.labels,
      ...(workflowTemplateRef !== undefined && { [templateLabel]: workflowTemplateRef.name }),
    };
    workflow.metadata.annotations = {
      ...annotations,
      ...workflow.metadata.annotations,
      [podNameFormatAnnotation]: 'v2',
      [runnerAnnotation]: context.runner.description,
    };
    return undefined;
  } catch (error) {
    if (error instanceof WorkflowError) return messageOf(error);
    throw error;
  }
}

/** Notes that the Workflow goes on here; a text means that it cannot, for what its steps left in a volume is elsewhere. */
function takeToSite(site: string | undefined, workflow: Workflow, spec: WorkflowSpec): string | undefined {
  if (site === undefined || (spec.volumeClaimTemplates ?? []).length === 0) return undefined;
  const before = workflow.metadata.annotations?.[siteAnnotation];
  if (before === site) return undefined;
  const hasRun = Object.values(workflow.status?.nodes ?? {}).some((node) => node.type === 'Pod' && isFulfilled(node.phase));
  if (before !== undefined && hasRun) return `the files its steps share are on ${before}, which does not run workflows any more`;
  workflow.metadata.annotations = { ...workflow.metadata.annotations, [siteAnnotation]: site };
  return undefined;
}

/** The spec as it was stored, with what may be changed while it runs. */
function effectiveSpec(workflow: Workflow): WorkflowSpec {
  const { suspend, shutdown, activeDeadlineSeconds } = workflow.spec;
  const { suspend: _suspend, shutdown: _shutdown, ...stored } = workflow.status?.storedWorkflowTemplateSpec ?? workflow.spec;
  return {
    ...stored,
    ...(typeof suspend === 'boolean' && { suspend }),
    ...((shutdown === 'Stop' || shutdown === 'Terminate') && { shutdown }),
    ...(typeof activeDeadlineSeconds === 'number' && { activeDeadlineSeconds }),
  };
}

function identityOf(workflow: Workflow): Parameters<typeof plan>[0]['workflow'] {
  const { name = '', namespace = '', uid = '', creationTimestamp, labels, annotations } = workflow.metadata;
  return {
    name,
    namespace,
    uid,
    ...(typeof creationTimestamp === 'string' && { creationTimestamp }),
    ...(labels !== undefined && { labels }),
    ...(annotations !== undefined && { annotations }),
  };
}

async function observe(context: RunContext, uid: string, status: WorkflowStatus): Promise<Map<string, Observation>> {
  const observations = new Map<string, Observation>();
  for (const node of activePods(status)) {
    const id = { workflowUid: uid, nodeId: node.id };
    const failure = context.failedStarts.get(keyOf(id));
    const observation = failure === undefined ? await context.runner.observe(id) : failedStart(failure, context.clock.now());
    if (observation.state === 'running') context.slots.hold(keyOf(id));
    observations.set(node.id, observation);
  }
  return observations;
}

function failedStart(error: string, now: number): Observation {
  return { state: 'ended', result: { startedAt: now, finishedAt: now, exitCode: 1, outputs: {}, error } };
}

function activePods(status: WorkflowStatus): readonly NodeStatus[] {
  return Object.values(status.nodes ?? {}).filter((node) => node.type === 'Pod' && !isFulfilled(node.phase));
}

/** Decides which of the wanted starts happen now, and marks their nodes as running. */
async function prepare(
  context: RunContext,
  workflow: Workflow,
  spec: WorkflowSpec,
  planned: Plan,
  request: ReconcileRequest,
  signal: AbortSignal,
): Promise<{ readonly starts: readonly Start[]; readonly waiting: boolean }> {
  const starts: Start[] = [];
  let waiting = false;
  for (const action of planned.actions) {
    if (action.type !== 'start') continue;
    const node = planned.status.nodes?.[action.pod.nodeId];
    if (node === undefined) continue;
    const key = keyOf({ workflowUid: workflow.metadata.uid ?? '', nodeId: node.id });
    if (!context.slots.acquire(key, request)) {
      node.message = `waiting for one of ${context.slots.max} slots for running steps`;
      continue;
    }
    try {
      const attempt = await buildAttempt(action.pod, { client: context.client, workflow, spec, hostName: context.runner.hostName, signal });
      startNode(node, context.clock.now());
      node.hostNodeName = context.runner.hostName;
      starts.push({ pod: action.pod, attempt });
    } catch (error) {
      context.slots.release(key);
      if (isAbort(error, signal)) throw error;
      if (error instanceof MissingReferenceError) {
        node.message = messageOf(error);
        waiting = true;
      } else if (error instanceof WorkflowError) {
        context.failedStarts.set(key, messageOf(error));
        context.enqueue(request);
      } else {
        for (const start of starts) releaseSlot(context, start.attempt);
        throw error;
      }
    }
  }
  if (starts.length > 0) setCondition(planned.status, { type: 'PodRunning', status: 'True' });
  return { starts, waiting };
}

/** Writes the Workflow if anything changed, under its revision. */
async function write(context: RunContext, old: Workflow, next: Workflow, signal: AbortSignal): Promise<void> {
  const phase = next.status?.phase ?? '';
  const done = isCompleted(phase);
  next.metadata.labels = { ...next.metadata.labels, [phaseLabel]: phase, [completedLabel]: String(done) };
  const others = (next.metadata.finalizers ?? []).filter((finalizer) => finalizer !== engineFinalizer);
  const mayGo = done && !(await hasRunning(context, next.metadata.uid ?? ''));
  const finalizers = mayGo ? others : [...others, engineFinalizer];
  if (finalizers.length > 0) next.metadata.finalizers = finalizers;
  else delete next.metadata.finalizers;
  if (isDeepStrictEqual(old, next)) return;
  const written = await context.client.update<Workflow>(workflows, next, { signal });
  context.cache.put(written);
  next.metadata = structuredClone(written.metadata);
}

async function hasRunning(context: RunContext, uid: string): Promise<boolean> {
  for (const id of context.runner.known(uid)) if ((await context.runner.observe(id)).state === 'running') return true;
  return false;
}

/** Lets go of attempts whose outcome is recorded, and of any the recorded status knows nothing of. */
async function settle(context: RunContext, uid: string, status: WorkflowStatus): Promise<void> {
  const active = new Map(activePods(status).map((node) => [node.id, node]));
  for (const id of context.runner.known(uid)) {
    const node = active.get(id.nodeId);
    const observation = await context.runner.observe(id);
    if (node === undefined && observation.state === 'running') {
      stopSoon(context, id, { phase: 'Error', message: 'the step is not part of the workflow any more' });
    } else if (observation.state !== 'running' && observation.state !== 'absent' && (node === undefined || mustRunAgain(observation))) {
      await context.runner.release(id);
      releaseSlot(context, id);
    }
  }
  for (const key of context.failedStarts.keys()) {
    if (key.startsWith(`${uid}/`) && !active.has(key.slice(uid.length + 1))) context.failedStarts.delete(key);
  }
}

function mustRunAgain(observation: Observation): boolean {
  return observation.state === 'lost' || (observation.state === 'ended' && observation.result.stopped?.phase === 'Pending');
}

async function carryOut(
  context: RunContext,
  workflow: Workflow,
  spec: WorkflowSpec,
  planned: Plan,
  starts: readonly Start[],
): Promise<void> {
  for (const action of planned.actions) {
    if (action.type === 'stop') stopSoon(context, { workflowUid: workflow.metadata.uid ?? '', nodeId: action.nodeId }, action.reason);
  }
  await Promise.all(
    starts.map(async ({ pod, attempt }) => {
      const node = planned.status.nodes?.[pod.nodeId];
      try {
        context.slots.hold(keyOf(attempt));
        const { rewrittenPaths } = await context.runner.start(attempt);
        if (node !== undefined)
          context.pods.started(
            podWithPaths(podObject(workflow, spec, pod, context.runner.hostName), rewrittenPaths),
            podStatus(node, attempt.image),
          );
      } catch (error) {
        context.logger.warn('a step could not be started', { workflow: workflow.metadata.name, pod: pod.podName, error: messageOf(error) });
        context.failedStarts.set(keyOf(attempt), messageOf(error));
        releaseSlot(context, attempt);
        context.enqueue(requestOf(workflow));
      }
    }),
  );
}

function podWithPaths(pod: ReturnType<typeof podObject>, rewrittenPaths: readonly string[]): ReturnType<typeof podObject> {
  if (rewrittenPaths.length === 0) return pod;
  const annotations = { ...pod.metadata.annotations, [rewrittenPathsAnnotation]: rewrittenPaths.join(',') };
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

/** Stopping may take the whole grace period; its end comes back as a change of the attempt. */
function stopSoon(context: RunContext, id: AttemptId, reason: Parameters<Runner['stop']>[1]): void {
  context.runner.stop(id, reason).catch((error: unknown) => {
    context.logger.error('a step could not be stopped', { nodeId: id.nodeId, error: messageOf(error) });
  });
}

/** Tells the Pod objects of steps that ended or went on in this round. */
function mirrorChanges(
  context: RunContext,
  { old, next, spec }: { readonly old: Workflow; readonly next: Workflow; readonly spec: WorkflowSpec },
): void {
  const { namespace = '', name: workflowName = '' } = next.metadata;
  for (const node of Object.values(next.status?.nodes ?? {})) {
    const before = old.status?.nodes?.[node.id];
    if (node.type !== 'Pod' || before?.phase !== 'Running' || node.phase === 'Running') continue;
    const template = spec.templates?.find((candidate) => candidate.name === node.templateName);
    const image = (template?.script ?? template?.container)?.image ?? '';
    const name = podNameOf(workflowName, node.templateName ?? '', node.name);
    context.pods.changed({ namespace, name }, podStatus(node, image));
  }
}

/** Nothing of a finished Workflow stays but its object, its logs and, after a failure, its claims. */
async function cleanUp(context: RunContext, workflow: Workflow, signal: AbortSignal): Promise<undefined> {
  const uid = workflow.metadata.uid ?? '';
  await settle(context, uid, workflow.status ?? {});
  if (context.runner.known(uid).length > 0) return undefined;
  if (workflow.status?.phase === 'Succeeded') await context.runner.removeClaims(uid);
  if (workflow.metadata.finalizers?.includes(engineFinalizer) === true) await write(context, workflow, structuredClone(workflow), signal);
  return undefined;
}

/** The Workflow is being deleted: it may go when nothing of it is alive. */
async function finalize(context: RunContext, workflow: Workflow, signal: AbortSignal): Promise<undefined> {
  const uid = workflow.metadata.uid ?? '';
  const recorded = await recordSuccess(context, workflow, signal);
  for (const id of context.runner.known(uid)) {
    const { state } = await context.runner.observe(id);
    if (state === 'running') stopSoon(context, id, { phase: 'Error', message: 'workflow deleted' });
    else if (state !== 'absent') {
      await context.runner.release(id);
      releaseSlot(context, id);
    }
  }
  if (context.runner.known(uid).length > 0) return undefined;
  await context.runner.removeClaims(uid);
  const finalizers = recorded.metadata.finalizers ?? [];
  if (!finalizers.includes(engineFinalizer)) return undefined;
  const next = structuredClone(recorded);
  next.metadata.finalizers = finalizers.filter((finalizer) => finalizer !== engineFinalizer);
  context.cache.put(await context.client.update<Workflow>(workflows, next, { signal }));
  return undefined;
}

/**
 * Writes down that the last step had succeeded when its Workflow was deleted: what it has delivered is delivered. Not in the write
 * that lets the Workflow go, whose content no watcher is told.
 */
async function recordSuccess(context: RunContext, workflow: Workflow, signal: AbortSignal): Promise<Workflow> {
  const { status } = workflow;
  if (status === undefined || (status.phase ?? '') === '' || isCompleted(status.phase)) return workflow;
  const observations = await observe(context, workflow.metadata.uid ?? '', status);
  if (![...observations.values()].some(({ state }) => state === 'ended')) return workflow;
  const next = structuredClone(workflow);
  const planned = plan({ workflow: identityOf(next), spec: effectiveSpec(next), status, observations, now: context.clock.now() });
  if (planned.status.phase !== 'Succeeded') return workflow;
  next.status = planned.status;
  next.metadata.labels = { ...next.metadata.labels, [phaseLabel]: 'Succeeded', [completedLabel]: 'true' };
  const written = await context.client.update<Workflow>(workflows, next, { signal });
  context.cache.put(written);
  return written;
}

function wakeAfter(context: RunContext, planned: Plan, waiting: boolean): ReconcileResult | undefined {
  const byTime = planned.wakeAt === undefined ? undefined : Math.max(1, planned.wakeAt - context.clock.now());
  const byReference = waiting ? referencePollMs : undefined;
  if (byTime === undefined && byReference === undefined) return undefined;
  return { requeueAfterMs: Math.min(byTime ?? Number.POSITIVE_INFINITY, byReference ?? Number.POSITIVE_INFINITY) };
}

function releaseSlot(context: RunContext, id: AttemptId): void {
  context.slots.release(keyOf(id));
}

function keyOf(id: AttemptId): string {
  return `${id.workflowUid}/${id.nodeId}`;
}

export function requestOf(workflow: Workflow): ReconcileRequest {
  const { namespace, name = '' } = workflow.metadata;
  return { name, ...(namespace !== undefined && { namespace }) };
}
