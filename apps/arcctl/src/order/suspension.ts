import { orders } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { connect } from '../cluster/connection.ts';
import type { Connection } from '../cluster/connection.ts';
import type { Invocation } from '../command.ts';
import { qualifiedName } from '../output/print-objects.ts';

/** `arcctl order suspend NAME`: nothing new is started, what runs goes on. */
export async function suspendOrder(invocation: Invocation): Promise<void> {
  await using connection = await connect(invocation);
  const order = await setSuspended(invocation, connection, true);
  const running = order.status?.counts?.running ?? 0;
  const left = running === 0 ? '' : `; ${running} still running, arcctl order cancel ends them`;
  invocation.streams.stdout.write(`${qualifiedName(orders, order)} suspended${left}\n`);
}

/** `arcctl order resume NAME`. */
export async function resumeOrder(invocation: Invocation): Promise<void> {
  await using connection = await connect(invocation);
  const order = await setSuspended(invocation, connection, false);
  invocation.streams.stdout.write(`${qualifiedName(orders, order)} resumed\n`);
}

/** @throws ApiStatusError */
export async function setSuspended(invocation: Invocation, { client, namespace }: Connection, suspend: boolean): Promise<Order> {
  const [name = ''] = invocation.args;
  // Null takes the field away: an Order that was never suspended looks the same.
  const patch = { spec: { suspend: suspend ? true : null } };
  return await client.patch<Order>(orders, { namespace, name }, patch, { fieldManager: 'arcctl', signal: invocation.signal });
}
