import type { Order, OrderStatus } from '@arc/api/arc';
import type { EventRecorder, RecordedEvent } from '@arc/kube-client';

type Condition = NonNullable<OrderStatus['conditions']>[number];

/**
 * Tells what a new status says that the one before did not, as events of the Order: what it lacks and that it has it, that it runs
 * once more because somebody asked for it, how it ended. One event each, however many artifacts there are.
 */
export function tellStory({ events }: { readonly events: Pick<EventRecorder, 'event'> }, order: Order, status: OrderStatus): void {
  const before = order.status ?? {};
  const told = [acceptance(before, status), request(before, status), end(before, status)];
  for (const event of told) if (event !== undefined) events.event(order, event);
}

function acceptance(before: OrderStatus, after: OrderStatus): RecordedEvent | undefined {
  const [was, is] = [before, after].map(({ conditions }) => conditions?.find(({ type }) => type === 'Accepted')) as [
    Condition | undefined,
    Condition | undefined,
  ];
  if (is === undefined || (was?.status === is.status && was.reason === is.reason && was.message === is.message)) return undefined;
  const { reason, message } = is;
  if (is.status === 'False') return { type: 'Warning', reason, action: 'Resolve', note: message };
  return was?.status === 'False' ? { type: 'Normal', reason: 'Accepted', action: 'Resolve', note: message } : undefined;
}

function request(before: OrderStatus, after: OrderStatus): RecordedEvent | undefined {
  if (after.lastForceAt !== before.lastForceAt && after.lastForceAt !== undefined) {
    return {
      type: 'Normal',
      reason: 'ForceReconcile',
      action: 'Start',
      note: `everything runs once more, as was asked for at ${after.lastForceAt}`,
    };
  }
  if (after.lastRetry !== before.lastRetry && after.lastRetry !== undefined) {
    return { type: 'Normal', reason: 'Retrying', action: 'Start', note: 'what has failed is tried once more, as was asked for' };
  }
  return undefined;
}

/** Once for each time it ends. */
function end(before: OrderStatus, { phase, message = '' }: OrderStatus): RecordedEvent | undefined {
  if (phase === before.phase || (phase !== 'Succeeded' && phase !== 'Failed')) return undefined;
  return { type: phase === 'Failed' ? 'Warning' : 'Normal', reason: phase, action: 'Transfer', note: message };
}
