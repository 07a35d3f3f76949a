import { orders, orderUidLabel } from '@arc/api/arc';
import { workflows } from '@arc/api/argo';
import type { Workflow } from '@arc/api/argo';
import { isStatusReason } from '@arc/apimachinery/client';
import { connect } from '../cluster/connection.ts';
import type { Invocation } from '../command.ts';
import { qualifiedName } from '../output/print-objects.ts';
import { setSuspended } from './suspension.ts';

/**
 * `arcctl order cancel NAME`: suspends the Order and ends the Workflows that run for it. The Order stays, with what it has
 * delivered, and may be resumed and retried.
 *
 * @throws ApiStatusError
 */
export async function cancelOrder(invocation: Invocation): Promise<void> {
  const { signal, streams } = invocation;
  await using connection = await connect(invocation);
  const { client, namespace } = connection;
  // First, so that nothing is started in the place of what is ended.
  const order = await setSuspended(invocation, connection, true);
  const labelSelector = `${orderUidLabel}=${order.metadata.uid}`;
  const { items } = await client.list<Workflow>(workflows, { namespace, labelSelector, signal });
  let ended = 0;
  for (const { metadata, status } of items) {
    if (status?.finishedAt !== undefined) continue;
    try {
      // Argo's word for ending at once, without exit handlers.
      const patch = { spec: { shutdown: 'Terminate' } };
      await client.patch(workflows, { namespace, name: metadata.name ?? '' }, patch, { fieldManager: 'arcctl', signal });
      ended += 1;
    } catch (error) {
      if (!isStatusReason(error, 'NotFound')) throw error;
    }
  }
  streams.stdout.write(`${qualifiedName(orders, order)} suspended, ${ended} ${ended === 1 ? 'workflow' : 'workflows'} ended\n`);
}
