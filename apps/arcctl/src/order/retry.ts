import { orders, retryAnnotation } from '@arc/api/arc';
import type { Order, OrderRun } from '@arc/api/arc';
import { UsageError } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import { connect } from '../cluster/connection.ts';
import { hasFlag } from '../command.ts';
import type { Invocation } from '../command.ts';
import { qualifiedName } from '../output/print-objects.ts';
import { isFailure, isFinished } from './order-progress.ts';
import { timeoutFrom } from './timeout.ts';
import { waitForOrders } from './wait.ts';

/**
 * `arcctl order retry NAME`: what has failed runs once more, what has succeeded does not.
 *
 * @throws UsageError; ApiStatusError; what `waitForOrders` throws
 */
export async function retryOrder(invocation: Invocation): Promise<ExitCode | void> {
  const timeoutMs = timeoutFrom(invocation);
  const showProgress = hasFlag(invocation, 'watch');
  const isWait = showProgress || hasFlag(invocation, 'wait');
  if (timeoutMs !== undefined && !isWait) throw new UsageError('--timeout without --wait or --watch has no meaning');
  const { signal, streams, clock } = invocation;
  const [name = ''] = invocation.args;
  await using connection = await connect(invocation);
  const { client, namespace } = connection;
  const ref = { namespace, name };
  const order = await client.get<Order>(orders, ref, { signal });
  const failed = Object.entries(order.status?.artifactWorkflows ?? {}).filter(([, run]) => isFailure(run));
  if (failed.length === 0) {
    streams.stdout.write(`${qualifiedName(orders, order)} has nothing that failed\n`);
    return;
  }
  const value = new Date(clock.now()).toISOString();
  await client.patch(orders, ref, { metadata: { annotations: { [retryAnnotation]: value } } }, { fieldManager: 'arcctl', signal });
  streams.stdout.write(
    `${qualifiedName(orders, order)}: ${failed.length} ${failed.length === 1 ? 'artifact is' : 'artifacts are'} tried again\n`,
  );
  // The status stays that of the attempt before until the new one begins, which is later than the retry is recorded.
  const until = (now: Order): boolean =>
    now.status?.lastRetry === value &&
    isFinished(now) &&
    failed.every(([hash, run]) => isNewer(now.status?.artifactWorkflows?.[hash], run));
  if (isWait) return await waitForOrders(invocation, client, [ref], { showProgress, timeoutMs, until });
}

/** Whether a run is not the attempt that ended as `before`; a run that never began has no attempts to tell apart. */
function isNewer(now: OrderRun | undefined, before: OrderRun): boolean {
  return now === undefined || now.phase === 'Succeeded' || endOf(before) === undefined || endOf(now) !== endOf(before);
}

function endOf({ failureTime, completionTime }: OrderRun): string | undefined {
  return failureTime ?? completionTime;
}
