import { orders } from '@arc/api/arc';
import type { ExitCode } from '@arc/cli-kit';
import { connect } from '../cluster/connection.ts';
import type { Invocation } from '../command.ts';
import { timeoutFrom } from './timeout.ts';
import { waitForOrders } from './wait.ts';

/** `arcctl order watch NAME`. */
export async function watchOrder(invocation: Invocation): Promise<ExitCode> {
  const timeoutMs = timeoutFrom(invocation);
  const [name = ''] = invocation.args;
  await using connection = await connect(invocation);
  const { client, namespace } = connection;
  const ref = { namespace, name };
  // What does not exist is to be said at once, not waited for.
  await client.get(orders, ref, { signal: invocation.signal });
  return await waitForOrders(invocation, client, [ref], { showProgress: true, timeoutMs });
}
