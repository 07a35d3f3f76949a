import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { artifactWorkflows, orderFinalizer, orders, orderUidLabel } from '@arc/api/arc';
import { deleteQuietly } from '../metadata/delete-quietly.ts';
import { hasFinalizer, removeFinalizer } from '../metadata/finalizers.ts';
import { isControlledBy } from '../metadata/owner.ts';
import { isDeleting } from '../metadata/references.ts';
import { writeStatus } from '../metadata/write-status.ts';
import type { OrderContext } from './context.ts';

/** What the garbage collector puts on an object whose dependents are to survive it. */
const orphanFinalizer = 'orphan';

/** Lets an Order go once its runs are gone; each event of a run leads here again. */
export async function finalizeOrder(context: OrderContext, order: Order, signal: AbortSignal): Promise<void> {
  if (!hasFinalizer(order, orderFinalizer)) return;
  if (!hasFinalizer(order, orphanFinalizer)) {
    const runs = context.artifactWorkflows.byIndex('owner', order.metadata.uid ?? '');
    for (const run of runs) await deleteRun(context, run, signal);
    const left = runs.length > 0 ? runs.length : await countLive(context, order, signal);
    if (left > 0) {
      await writeStatus(context.client, orders, order, { ...order.status, message: 'waiting for the runs of the Order to end' }, signal);
      return;
    }
  }
  await removeFinalizer(context.client, orders, order, orderFinalizer, signal);
}

/** Deletes an ArtifactWorkflow, this very one; a no-op when it is gone or going. */
export async function deleteRun(context: OrderContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<void> {
  if (!isDeleting(run)) await deleteQuietly(context.client, artifactWorkflows, run, signal);
}

/** Asks the server: a run made a moment ago may not have reached the informer yet. */
async function countLive(context: OrderContext, order: Order, signal: AbortSignal): Promise<number> {
  const { namespace = '', uid = '' } = order.metadata;
  const list = await context.client.list<ArtifactWorkflow>(artifactWorkflows, {
    namespace,
    labelSelector: `${orderUidLabel}=${uid}`,
    signal,
  });
  return list.items.filter((run) => isControlledBy(run, order)).length;
}
