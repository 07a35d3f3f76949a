import type { ArtifactWorkflow, Order, OrderRun } from '@arc/api/arc';
import {
  arcApiVersion,
  artifactIndexAnnotation,
  artifactSlotAnnotation,
  artifactTypeLabel,
  artifactWorkflowFinalizer,
  artifactWorkflows,
  isFinishedPhase,
  orderFinalizer,
  orders,
  orderUidLabel,
} from '@arc/api/arc';
import { ApiStatusError, isStatusReason } from '@arc/apimachinery';
import type { ReconcileResult, Reconciler } from '@arc/controller';
import { artifactWorkflowName, isLabelValue } from '../identity/names.ts';
import { addFinalizer } from '../metadata/finalizers.ts';
import { controllerReference, isControlledBy } from '../metadata/owner.ts';
import { OwnWrites } from '../metadata/own-writes.ts';
import { isDeleting } from '../metadata/references.ts';
import { mergePatchBetween, ownValue, writeStatus } from '../metadata/write-status.ts';
import { resolveOrder } from '../resolve/resolve-order.ts';
import type { Resolution, ResolvedRun } from '../resolve/resolve-order.ts';
import { lookupsOf } from './context.ts';
import type { OrderContext } from './context.ts';
import { deleteRun, finalizeOrder } from './finalize.ts';
import { recordedGenerations } from './generations.ts';
import { entryOf, orderStatus, problemEntry, waitingEntry } from './status.ts';

/** What is known of our own status writes. */
interface StatusWrites {
  /** When, by uid of the Order. */
  readonly lastWrites: Map<string, number>;
  readonly ownWrites: OwnWrites;
}

/** Brings the ArtifactWorkflows of an Order to what it asks for, and its status to what they are. */
export function orderReconciler(context: OrderContext): Reconciler {
  /** When the status of an Order was last written, by uid; only to space writes, so losing it is harmless. */
  const lastWrites = new Map<string, number>();
  const ownWrites = new OwnWrites();

  return async (request, signal) => {
    const order = context.orders.get(request.namespace, request.name);
    if (order === undefined) return undefined;
    if (isDeleting(order)) {
      lastWrites.delete(order.metadata.uid ?? '');
      ownWrites.forget(order);
      await finalizeOrder(context, order, signal);
      return undefined;
    }
    if (ownWrites.isBehind(order)) return undefined;
    await addFinalizer(context.client, orders, order, orderFinalizer, signal);
    return await reconcileRuns(context, order, { lastWrites, ownWrites }, signal);
  };
}

async function reconcileRuns(
  context: OrderContext,
  order: Order,
  writes: StatusWrites,
  signal: AbortSignal,
): Promise<ReconcileResult | undefined> {
  const resolution = resolveOrder(order, lookupsOf(context));
  const owned = context.artifactWorkflows.byIndex('owner', order.metadata.uid ?? '');
  const superseded = await endSuperseded(context, order, resolution, owned, signal);
  const errors: unknown[] = [];
  const madeNames: string[] = [];
  const entries = new Map<string, OrderRun>();
  for (const run of resolution.runs) {
    try {
      entries.set(run.hash, await ensureRun(context, order, run, { superseded, madeNames }, signal));
    } catch (error) {
      if (signal.aborted) throw error;
      const message = error instanceof ApiStatusError ? error.message : 'the ArtifactWorkflow could not be created';
      entries.set(
        run.hash,
        waitingEntry(run.index, artifactWorkflowName(order.metadata.name ?? '', run.hash), { reason: 'CreateFailed', message }),
      );
      errors.push(error);
    }
  }
  reportRuns(context, order, 'Created', madeNames);
  for (const item of resolution.unresolved) {
    const kept = item.blocked ? keptRun(order, item.slot, owned) : undefined;
    if (kept === undefined) entries.set(item.key, problemEntry(item));
    else entries.set(kept.hash, entryOf(kept.run, item.index));
  }
  const generations = recordedGenerations(order.status ?? {}, resolution, context.digestKey);
  const status = orderStatus(order, { entries, unresolved: resolution.unresolved, generations }, context.clock.now());
  const requeueAfterMs = await writeSpaced(context, order, status, writes, signal);
  // The siblings are served and the status says it: now let the queue retry, with its backoff.
  if (errors.length > 0) throw errors[0];
  return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
}

/**
 * Deletes the runs nobody asks for any more but that have not ended. Those that ended stay: they are history. Returns
 * what may still be at work at a destination.
 */
async function endSuperseded(
  context: OrderContext,
  order: Order,
  resolution: Resolution,
  owned: readonly ArtifactWorkflow[],
  signal: AbortSignal,
): Promise<readonly ArtifactWorkflow[]> {
  const wanted = new Set(resolution.runs.map(({ hash }) => artifactWorkflowName(order.metadata.name ?? '', hash)));
  const waiting = new Set(resolution.unresolved.filter(({ blocked }) => blocked).map(({ slot }) => slot));
  const superseded = owned.filter(
    (run) => !wanted.has(run.metadata.name ?? '') && !isFinishedPhase(run.status?.phase) && !(waiting.has(slotOf(run)) && !isDeleting(run)),
  );
  const ended = superseded.filter((run) => !isDeleting(run));
  for (const run of ended) await deleteRun(context, run, signal);
  reportRuns(
    context,
    order,
    'Superseded',
    ended.map(({ metadata }) => metadata.name ?? ''),
  );
  return superseded;
}

/** One event for all, or an Order of many artifacts would drown everything else. */
function reportRuns(context: OrderContext, order: Order, reason: 'Created' | 'Superseded', names: readonly string[]): void {
  if (names.length === 0) return;
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  const listed = `ArtifactWorkflow ${names.slice(0, 3).join(', ')}${more}`;
  context.events.event(order, {
    type: 'Normal',
    reason,
    action: reason === 'Created' ? 'Create' : 'Delete',
    note: reason === 'Created' ? `created ${listed}` : `ended ${listed}: the Order asks for something else now`,
  });
}

/** The entry of a wanted run, which is created unless it exists or has to wait. */
async function ensureRun(
  context: OrderContext,
  order: Order,
  run: ResolvedRun,
  { superseded, madeNames }: { readonly superseded: readonly ArtifactWorkflow[]; readonly madeNames: string[] },
  signal: AbortSignal,
): Promise<OrderRun> {
  const name = artifactWorkflowName(order.metadata.name ?? '', run.hash);
  const existing = context.artifactWorkflows.get(order.metadata.namespace, name);
  if (existing !== undefined) return await entryOfExisting(context, order, run, existing, signal);

  // The entry is the record that the artifact was delivered; it outlives the run.
  const record = ownValue(order.status?.artifactWorkflows, run.hash);
  if (record?.phase === 'Succeeded' && record.name === name) return { ...record, artifactIndex: run.index };

  const predecessor = superseded.find((old) => slotOf(old) === run.slot || indexOf(old) === run.index);
  if (predecessor !== undefined) {
    const message = `starts when its superseded run ${predecessor.metadata.name} has ended`;
    return waitingEntry(run.index, name, { reason: 'Superseding', message });
  }
  try {
    const created = await context.client.create(artifactWorkflows, artifactWorkflowFor(order, run, name), { signal });
    madeNames.push(name);
    return entryOf(created, run.index);
  } catch (error) {
    if (!isStatusReason(error, 'AlreadyExists')) throw error;
    const live = await context.client.get<ArtifactWorkflow>(
      artifactWorkflows,
      { namespace: order.metadata.namespace ?? '', name },
      { signal },
    );
    return await entryOfExisting(context, order, run, live, signal);
  }
}

async function entryOfExisting(
  context: OrderContext,
  order: Order,
  run: ResolvedRun,
  existing: ArtifactWorkflow,
  signal: AbortSignal,
): Promise<OrderRun> {
  const name = existing.metadata.name ?? '';
  if (!isControlledBy(existing, order)) {
    return waitingEntry(run.index, name, {
      reason: 'NameTaken',
      message: `spec.artifacts[${run.index}]: an ArtifactWorkflow ${JSON.stringify(name)} that is not of this Order exists`,
    });
  }
  if (isDeleting(existing) && existing.status?.phase !== 'Succeeded') {
    return waitingEntry(run.index, name, { reason: 'Terminating', message: 'starts when the deleted run of the same name has ended' });
  }
  // A Secret may be renamed without changing the outcome; only a run that has not started can still take the new name.
  const started = isFinishedPhase(existing.status?.phase) || existing.status?.activeWorkflowRef !== undefined;
  if (!started && mergePatchBetween(secretsOf(existing.spec), secretsOf(run.spec)) !== undefined) {
    await deleteRun(context, existing, signal);
    return waitingEntry(run.index, name, { reason: 'Terminating', message: 'starts again with the renamed Secret' });
  }
  return entryOf(existing, run.index);
}

function secretsOf(spec: ArtifactWorkflow['spec']): object {
  return { source: spec?.srcSecretRef?.name, destination: spec?.dstSecretRef?.name };
}

/** A run that was made for the same wish before what it needs disappeared: it goes on, or stays as the record. */
function keptRun(order: Order, slot: string, owned: readonly ArtifactWorkflow[]): { hash: string; run: ArtifactWorkflow } | undefined {
  for (const [hash, { name }] of Object.entries(order.status?.artifactWorkflows ?? {})) {
    const run = owned.find((candidate) => candidate.metadata.name === name);
    if (run !== undefined && slotOf(run) === slot && !isDeleting(run)) return { hash, run };
  }
  return undefined;
}

function artifactWorkflowFor(order: Order, run: ResolvedRun, name: string): ArtifactWorkflow {
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
      annotations: { [artifactIndexAnnotation]: String(run.index), [artifactSlotAnnotation]: run.slot },
      finalizers: [artifactWorkflowFinalizer],
      ownerReferences: [controllerReference(order)],
    },
    spec: run.spec,
  };
}

/** Writes the status, unless the last write is too recent; then returns how long to wait. */
async function writeSpaced(
  context: OrderContext,
  order: Order,
  status: object,
  { lastWrites, ownWrites }: StatusWrites,
  signal: AbortSignal,
): Promise<number | undefined> {
  const uid = order.metadata.uid ?? '';
  const now = context.clock.now();
  const sinceLast = now - (lastWrites.get(uid) ?? Number.NEGATIVE_INFINITY);
  if (sinceLast < context.statusIntervalMs && mergePatchBetween(order.status ?? {}, status) !== undefined) {
    return context.statusIntervalMs - Math.max(0, sinceLast);
  }
  const written = await writeStatus(context.client, orders, order, status, signal);
  if (written === undefined) return undefined;
  lastWrites.set(uid, now);
  ownWrites.note(order, written);
  return undefined;
}

function slotOf(run: ArtifactWorkflow): string {
  return ownValue(run.metadata.annotations, artifactSlotAnnotation) ?? '';
}

function indexOf(run: ArtifactWorkflow): number {
  return Number(ownValue(run.metadata.annotations, artifactIndexAnnotation) ?? -1);
}
