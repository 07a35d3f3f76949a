import type { ArtifactWorkflow, Order, OrderRun } from '@arc/api/arc';
import {
  arcApiVersion,
  artifactIndexAnnotation,
  artifactSlotAnnotation,
  artifactTypeLabel,
  artifactWorkflowFinalizer,
  artifactWorkflows,
  forceAtAnnotation,
  hasFailed,
  isFinishedPhase,
  lastRunFailed,
  orderUidLabel,
  retryAnnotation,
} from '@arc/api/arc';
import { isStatusReason } from '@arc/apimachinery';
import { scheduleOfRun } from '../artifact-workflow/build-cron-workflow.ts';
import { artifactWorkflowName, hashOfName, isLabelValue } from '../identity/names.ts';
import { controllerReference, isControlledBy } from '../metadata/owner.ts';
import { isDeleting, refOf } from '../metadata/references.ts';
import { mergePatchBetween, ownValue } from '../metadata/write-status.ts';
import type { ResolvedRun } from '../resolve/resolve-order.ts';
import type { OrderContext } from './context.ts';
import { deleteRun } from './finalize.ts';
import { entryOf, waitingEntry } from './status.ts';
import type { UnseenRuns } from './unseen-runs.ts';

interface RunOptions {
  /** Runs nobody asks for any more that may still be at work. */
  readonly superseded: readonly ArtifactWorkflow[];
  /** Gets what is created. */
  readonly made: ArtifactWorkflow[];
  /** Told of what is written. */
  readonly unseen: UnseenRuns;
  /** What has failed is to be tried once more, for this request. */
  readonly retry: string | undefined;
  /** The force-at value that is in force, seconds since the epoch. */
  readonly force: number | undefined;
}

/** The entry of a wanted run, which is created unless it exists or has to wait. */
export async function ensureRun(
  context: OrderContext,
  order: Order,
  run: ResolvedRun,
  { superseded, made, unseen, retry, force }: RunOptions,
  signal: AbortSignal,
): Promise<OrderRun> {
  const name = artifactWorkflowName(order.metadata.name ?? '', run.hash);
  const existing = context.artifactWorkflows.get(order.metadata.namespace, name);
  if (existing !== undefined) return await entryOfExisting(context, order, { run, existing, unseen, retry, force }, signal);

  const record = recordOf(order, run, { name, retry });
  if (record !== undefined) return record;

  if (order.spec?.suspend === true) {
    return waitingEntry(run.index, name, { reason: 'Suspended', message: 'starts when the Order is resumed' });
  }
  const predecessor = superseded.find((old) => slotOf(old) === run.slot || indexOf(old) === run.index);
  if (predecessor !== undefined) {
    const message = `starts when its superseded run ${predecessor.metadata.name} has ended`;
    return waitingEntry(run.index, name, { reason: 'Superseding', message });
  }
  unseen.note(order, name);
  try {
    const created = await context.client.create(artifactWorkflows, artifactWorkflowFor(order, run, { name, retry }), { signal });
    made.push(created);
    return { ...entryOf(created, run.index), slot: run.slot };
  } catch (error) {
    if (!isStatusReason(error, 'AlreadyExists')) throw error;
    const live = await context.client.get<ArtifactWorkflow>(
      artifactWorkflows,
      { namespace: order.metadata.namespace ?? '', name },
      { signal },
    );
    return await entryOfExisting(context, order, { run, existing: live, unseen, retry, force }, signal);
  }
}

async function entryOfExisting(
  context: OrderContext,
  order: Order,
  {
    run,
    existing,
    unseen,
    retry,
    force,
  }: { readonly run: ResolvedRun; readonly existing: ArtifactWorkflow } & Pick<RunOptions, 'unseen' | 'retry' | 'force'>,
  signal: AbortSignal,
): Promise<OrderRun> {
  const name = existing.metadata.name ?? '';
  if (!isControlledBy(existing, order)) {
    return waitingEntry(run.index, name, {
      reason: 'NameTaken',
      message: `spec.artifacts[${run.index}]: an ArtifactWorkflow ${JSON.stringify(name)} that is not of this Order exists`,
    });
  }
  if (isDeleting(existing)) {
    const record = recordOf(order, run, { name, retry });
    if (record !== undefined) return record;
    if (existing.status?.phase !== 'Succeeded') {
      return waitingEntry(run.index, name, { reason: 'Terminating', message: 'starts when the deleted run of the same name has ended' });
    }
  }
  // A Secret may be renamed without changing the outcome; only a run that has not started can still take the new name.
  const started = isFinishedPhase(existing.status?.phase) || existing.status?.activeWorkflowRef !== undefined;
  if (!started && mergePatchBetween(secretsOf(existing.spec), secretsOf(run.spec)) !== undefined) {
    await deleteRun(context, existing, signal);
    return waitingEntry(run.index, name, { reason: 'Terminating', message: 'starts again with the renamed Secret' });
  }
  if (retry !== undefined && isToRetry(existing, retry)) {
    unseen.note(order, name, (shown) => shown.metadata.annotations?.[retryAnnotation] === retry);
    await passRetryOn(context, existing, retry, signal);
  }
  if (force !== undefined && scheduleOfRun(existing) !== undefined) await passForceOn(context, existing, force, signal);
  return { ...entryOf(existing, run.index), slot: run.slot };
}

function isToRetry({ metadata, status }: ArtifactWorkflow, retry: string): boolean {
  const failed = hasFailed(status?.phase) || status?.reason === lastRunFailed;
  return failed && metadata.annotations?.[retryAnnotation] !== retry;
}

/** Asks for one more attempt of a run that has failed; whoever carries it out remembers what was asked for. */
async function passRetryOn(context: OrderContext, run: ArtifactWorkflow, retry: string, signal: AbortSignal): Promise<void> {
  const { uid } = run.metadata;
  await context.client.patch(artifactWorkflows, refOf(run), { metadata: { uid, annotations: { [retryAnnotation]: retry } } }, { signal });
}

/** What is scheduled runs once, out of turn, for every new force-at value that is younger than the run itself. */
async function passForceOn(context: OrderContext, run: ArtifactWorkflow, force: number, signal: AbortSignal): Promise<void> {
  const { uid, annotations, creationTimestamp } = run.metadata;
  if (annotations?.[forceAtAnnotation] === String(force) || force * 1000 < Date.parse(creationTimestamp ?? '')) return;
  const body = { metadata: { uid, annotations: { [forceAtAnnotation]: String(force) } } };
  await context.client.patch(artifactWorkflows, refOf(run), body, { signal });
}

function secretsOf(spec: ArtifactWorkflow['spec']): object {
  return { source: spec?.srcSecretRef?.name, destination: spec?.dstSecretRef?.name };
}

/**
 * The entry of a run whose ArtifactWorkflow is not needed any more: it has delivered, or failed and was kept for as long as
 * it was to be. Such a record outlives the object, which is never made again for it.
 */
function recordOf(
  order: Order,
  run: ResolvedRun,
  { name, retry }: { readonly name: string; readonly retry: string | undefined },
): OrderRun | undefined {
  const entry = ownValue(order.status?.artifactWorkflows, run.hash);
  const kept = entry?.expired === true && retry === undefined;
  if (entry?.name === name && (entry.phase === 'Succeeded' || kept)) {
    return { ...entry, artifactIndex: run.index, slot: run.slot };
  }
  const completionTime = ownValue(order.status?.deliveries, run.hash);
  if (completionTime === undefined) return undefined;
  return { artifactIndex: run.index, name, phase: 'Succeeded', expired: true, slot: run.slot, completionTime };
}

/** A run that was made for the same wish before what it needs disappeared: it goes on, or stays as the record. */
export function keptEntry(
  order: Order,
  wish: { readonly index: number; readonly slot: string },
  owned: readonly ArtifactWorkflow[],
): { readonly hash: string; readonly entry: OrderRun } | undefined {
  const { index, slot } = wish;
  const isKept = (run: ArtifactWorkflow): boolean => slotOf(run) === slot && !isDeleting(run);
  // The status may still have its predecessor, or nothing: it is written after a run is made.
  const underWay = owned.find((run) => isKept(run) && !isFinishedPhase(run.status?.phase));
  if (underWay !== undefined) return { hash: hashOfName(underWay.metadata.name ?? ''), entry: { ...entryOf(underWay, index), slot } };
  for (const [hash, entry] of Object.entries(order.status?.artifactWorkflows ?? {})) {
    const run = owned.find(({ metadata }) => metadata.name === entry.name);
    if (run !== undefined && isKept(run)) return { hash, entry: { ...entryOf(run, index), slot } };
    const record = entry.phase === 'Succeeded' || entry.expired === true;
    if (record && entry.name !== undefined && entry.slot === slot) return { hash, entry: { ...entry, artifactIndex: index } };
  }
  return undefined;
}

function artifactWorkflowFor(
  order: Order,
  run: ResolvedRun,
  { name, retry }: { readonly name: string; readonly retry: string | undefined },
): ArtifactWorkflow {
  const { [artifactTypeLabel]: _inherited, ...labels } = order.metadata.labels ?? {};
  return {
    apiVersion: arcApiVersion,
    kind: 'ArtifactWorkflow',
    metadata: {
      name,
      namespace: order.metadata.namespace ?? '',
      labels: {
        ...labels,
        [orderUidLabel]: order.metadata.uid ?? '',
        ...(isLabelValue(run.type) && { [artifactTypeLabel]: run.type }),
      },
      annotations: {
        [artifactIndexAnnotation]: String(run.index),
        [artifactSlotAnnotation]: run.slot,
        ...(retry !== undefined && { [retryAnnotation]: retry }),
      },
      finalizers: [artifactWorkflowFinalizer],
      ownerReferences: [controllerReference(order)],
    },
    spec: run.spec,
  };
}

/** What a run was made for. */
export function slotOf(run: ArtifactWorkflow): string {
  return ownValue(run.metadata.annotations, artifactSlotAnnotation) ?? '';
}

function indexOf(run: ArtifactWorkflow): number {
  return Number(ownValue(run.metadata.annotations, artifactIndexAnnotation) ?? -1);
}
