import type { ArtifactWorkflow, Order, OrderRun } from '@arc/api/arc';
import { isFinishedPhase, orders } from '@arc/api/arc';
import { hashOfName } from '../identity/names.ts';
import { deleteQuietly } from '../metadata/delete-quietly.ts';
import { isDeleting } from '../metadata/references.ts';
import { ownValue } from '../metadata/write-status.ts';
import type { Resolution } from '../resolve/resolve-order.ts';
import { orderExpiry, runExpiry } from '../retention/expiry.ts';
import type { OrderContext } from './context.ts';
import { deleteRun } from './finalize.ts';

/** Deletes an Order, and with it all that runs for it, when its `ttl` is over; true when it did. */
export async function expireOrder(context: OrderContext, order: Order, signal: AbortSignal): Promise<boolean> {
  const expiry = orderExpiry(order);
  if (expiry === undefined || expiry > context.clock.now()) return false;
  await deleteQuietly(context.client, orders, order, signal);
  const note = `removed ${order.spec?.ttl} after its creation, as spec.ttl says`;
  context.events.event(order, { type: 'Normal', reason: 'Expired', action: 'Delete', note });
  return true;
}

/**
 * Removes the runs whose time is over. Their entries are marked first and the objects are deleted once the mark is stored,
 * so that a failed run that expired is never taken for one that somebody deleted to have it tried again.
 *
 * @returns when the next one expires
 */
export async function expireRuns(
  context: OrderContext,
  order: Order,
  found: { readonly resolution: Resolution; readonly owned: readonly ArtifactWorkflow[]; readonly entries: Map<string, OrderRun> },
  signal: AbortSignal,
): Promise<number | undefined> {
  const { resolution, owned, entries } = found;
  const secondsAfterCompletion = order.spec?.TTLSecondsAfterCompletion;
  const wanted = new Map(resolution.runs.map((run) => [run.hash, run.spec]));
  const now = context.clock.now();
  let next: number | undefined;
  for (const run of owned) {
    if (isDeleting(run) || !isFinishedPhase(run.status?.phase)) continue;
    const hash = hashOfName(run.metadata.name ?? '');
    // The times of a type may be changed after the run was made; they decide nothing about its outcome.
    const { ttlAfterFinished, ttlAfterFailed } = wanted.get(hash) ?? run.spec ?? {};
    const rules = {
      secondsAfterCompletion,
      ...(ttlAfterFinished !== undefined && { ttlAfterFinished }),
      ...(ttlAfterFailed !== undefined && { ttlAfterFailed }),
    };
    const expiry = runExpiry(run.status ?? {}, rules);
    if (expiry === undefined) continue;
    if (expiry > now) {
      next = Math.min(next ?? expiry, expiry);
      continue;
    }
    const entry = entries.get(hash);
    if (entry !== undefined) entries.set(hash, { ...entry, expired: true });
    const marked = entry === undefined || ownValue(order.status?.artifactWorkflows, hash)?.expired === true;
    if (marked) await deleteRun(context, run, signal);
  }
  return next;
}
