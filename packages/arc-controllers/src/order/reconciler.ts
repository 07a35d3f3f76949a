import type { ArtifactWorkflow, Order, OrderRun, OrderStatus } from '@arc/api/arc';
import { artifactWorkflows, isFinishedPhase, orderFinalizer, orders } from '@arc/api/arc';
import { ApiStatusError } from '@arc/apimachinery';
import type { ReconcileResult, Reconciler } from '@arc/controller';
import { isRestartWanted } from '../artifact-workflow/restart.ts';
import { artifactWorkflowName } from '../identity/names.ts';
import { deleteQuietly } from '../metadata/delete-quietly.ts';
import { addFinalizer } from '../metadata/finalizers.ts';
import { OwnWrites } from '../metadata/own-writes.ts';
import { RecentWrites } from '../metadata/recent-writes.ts';
import { isDeleting } from '../metadata/references.ts';
import { mergePatchBetween, writeStatus } from '../metadata/write-status.ts';
import { lookupsOf } from '../resolve/lookups.ts';
import { resolveOrder } from '../resolve/resolve-order.ts';
import type { Resolution } from '../resolve/resolve-order.ts';
import { delayUntil } from '../retention/delay-until.ts';
import { deliveriesOf } from '../retention/deliveries.ts';
import { orderExpiry } from '../retention/expiry.ts';
import type { OrderContext } from './context.ts';
import { forceOf, pendingRetry } from './requests.ts';
import { ensureRun, keptEntry, slotOf } from './ensure-run.ts';
import { finalizeOrder } from './finalize.ts';
import { recordedGenerations } from './generations.ts';
import { unreadyEndpoints } from './readiness.ts';
import { expireOrder, expireRuns } from './retention.ts';
import { tellStory } from './story.ts';
import { orderStatus, problemEntry, waitingEntry } from './status.ts';
import { UnseenRuns } from './unseen-runs.ts';

/** What is known of our own writes. */
interface StatusWrites {
  /** Of the status. */
  readonly recent: RecentWrites;
  /**
   * Of runs. Until the informers have them the Order is left alone: it would make them again in vain, and what they come to, to
   * wait above all, is told in one write with their names.
   */
  readonly made: RecentWrites;
  readonly unseen: UnseenRuns;
  readonly ownWrites: OwnWrites;
}

/** Brings the ArtifactWorkflows of an Order to what it asks for, and its status to what they are. */
export function orderReconciler(context: OrderContext): Reconciler {
  const recent = new RecentWrites(context.statusIntervalMs);
  const made = new RecentWrites(context.runDelayMs);
  const unseen = new UnseenRuns();
  const ownWrites = new OwnWrites();

  return async (request, signal) => {
    const order = context.orders.get(request.namespace, request.name);
    if (order === undefined) return undefined;
    if (isDeleting(order)) {
      recent.forget(order.metadata.uid ?? '');
      made.forget(order.metadata.uid ?? '');
      unseen.forget(order);
      ownWrites.forget(order);
      await finalizeOrder(context, order, signal);
      return undefined;
    }
    if (await expireOrder(context, order, signal)) return undefined;
    if (ownWrites.isBehind(order)) return undefined;
    const madeWaitMs = made.wait(order.metadata.uid ?? '', context.clock.now());
    if (madeWaitMs > 0) return { requeueAfterMs: madeWaitMs };
    await addFinalizer(context.client, orders, order, orderFinalizer, signal);
    return await reconcileRuns(context, order, { recent, made, unseen, ownWrites }, signal);
  };
}

async function reconcileRuns(
  context: OrderContext,
  order: Order,
  writes: StatusWrites,
  signal: AbortSignal,
): Promise<ReconcileResult | undefined> {
  const force = forceOf(order, context.clock.now());
  const resolution = resolveOrder(order, lookupsOf(context), force.value);
  const retry = pendingRetry(order);
  const wanted = new Set(resolution.runs.map(({ hash }) => artifactWorkflowName(order.metadata.name ?? '', hash)));
  const unseen = await writes.unseen.unwanted(context, order, wanted, signal);
  const isUnseen = (run: ArtifactWorkflow): boolean => unseen.some(({ metadata }) => metadata.uid === run.metadata.uid);
  const shown = context.artifactWorkflows.byIndex('owner', order.metadata.uid ?? '');
  const owned = unseen.length === 0 ? shown : [...shown.filter((run) => !isUnseen(run)), ...unseen];
  const superseded = await endSuperseded(context, order, { wanted, unresolved: resolution.unresolved, owned }, signal);
  const errors: unknown[] = [];
  const made: ArtifactWorkflow[] = [];
  const entries = new Map<string, OrderRun>();
  const enter = (key: string, entry: OrderRun, { destination }: { readonly destination?: string }): void =>
    void entries.set(key, destination === undefined ? entry : { ...entry, destination });
  for (const run of resolution.runs) {
    try {
      const entry = await ensureRun(context, order, run, { superseded, made, unseen: writes.unseen, retry, force: force.value }, signal);
      enter(run.hash, entry, run);
    } catch (error) {
      if (signal.aborted) throw error;
      const message = error instanceof ApiStatusError ? error.message : 'the ArtifactWorkflow could not be created';
      const name = artifactWorkflowName(order.metadata.name ?? '', run.hash);
      enter(run.hash, waitingEntry(run.index, name, { reason: 'CreateFailed', message }), run);
      errors.push(error);
    }
  }
  reportRuns(context, order, 'Created', made);
  if (made.length > 0 && errors.length === 0 && context.runDelayMs > 0) {
    writes.made.note(order.metadata.uid ?? '', context.clock.now());
    return { requeueAfterMs: context.runDelayMs };
  }
  for (const item of resolution.unresolved) {
    const kept = item.blocked ? keptEntry(order, item, owned) : undefined;
    if (kept === undefined) enter(item.key, problemEntry(item), item);
    // Artifacts that come to the same share a run, for which the first stands, as it does while nothing is missing.
    else if (!entries.has(kept.hash)) enter(kept.hash, kept.entry, item);
  }
  const nextExpiry = await expireRuns(context, order, { resolution, owned, entries }, signal);
  const deliveries = deliveriesOf(order.status ?? {}, entries, owned);
  const generations = recordedGenerations(order.status ?? {}, resolution);
  // What could not be retried because of an error is retried with the next attempt.
  const carriedOut = { force: force.value, retry: errors.length === 0 && retry !== undefined ? retry : order.status?.lastRetry };
  const now = context.clock.now();
  const unready = unreadyEndpoints(order, context);
  const status = orderStatus(order, { entries, unresolved: resolution.unresolved, generations, deliveries, unready, ...carriedOut }, now);
  const nextWrite = await writeSpaced(context, order, status, writes, signal);
  // The siblings are served and the status says it: now let the queue retry, with its backoff.
  if (errors.length > 0) throw errors[0];
  const requeueAfterMs = delayUntil(now, [nextWrite, nextExpiry, orderExpiry(order), force.next]);
  return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
}

/**
 * Deletes the runs nobody asks for any more but that have not ended. Those that ended stay: they are history. Returns
 * what may still be at work at a destination.
 */
async function endSuperseded(
  context: OrderContext,
  order: Order,
  found: {
    readonly wanted: ReadonlySet<string>;
    readonly unresolved: Resolution['unresolved'];
    readonly owned: readonly ArtifactWorkflow[];
  },
  signal: AbortSignal,
): Promise<readonly ArtifactWorkflow[]> {
  const { wanted, unresolved, owned } = found;
  const waiting = new Set(unresolved.filter(({ blocked }) => blocked).map(({ slot }) => slot));
  const now = context.clock.now();
  // One that has ended and is to run once more is not at rest.
  const isAtRest = (run: ArtifactWorkflow): boolean => isFinishedPhase(run.status?.phase) && !isRestartWanted(run, now);
  const superseded = owned.filter(
    (run) => !wanted.has(run.metadata.name ?? '') && !isAtRest(run) && !(waiting.has(slotOf(run)) && !isDeleting(run)),
  );
  const ended = superseded.filter((run) => !isDeleting(run));
  // One that has ended meanwhile is history, and what it delivered is to be recorded.
  for (const run of ended) await deleteQuietly(context.client, artifactWorkflows, run, signal, { unchanged: true });
  reportRuns(context, order, 'Superseded', ended);
  return superseded;
}

/** One event for all, or an Order of many artifacts would drown everything else. */
function reportRuns(context: OrderContext, order: Order, reason: 'Created' | 'Superseded', runs: readonly ArtifactWorkflow[]): void {
  const names = runs.map(({ metadata }) => metadata.name ?? '');
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

/** Writes the status, unless the last write is too recent and this one can wait; then returns when it may be written. */
async function writeSpaced(
  context: OrderContext,
  order: Order,
  status: OrderStatus,
  { recent, ownWrites }: StatusWrites,
  signal: AbortSignal,
): Promise<number | undefined> {
  const uid = order.metadata.uid ?? '';
  const now = context.clock.now();
  const waitMs = recent.wait(uid, now);
  const isAwaited = isFinishedPhase(status.phase) && status.phase !== order.status?.phase;
  if (waitMs > 0 && !isAwaited && mergePatchBetween(order.status ?? {}, status) !== undefined) return now + waitMs;
  const written = await writeStatus(context.client, orders, order, status, signal);
  if (written === undefined) return undefined;
  recent.note(uid, now);
  ownWrites.note(order, written);
  tellStory(context, order, status);
  return undefined;
}
