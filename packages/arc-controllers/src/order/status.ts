import type { Order, OrderRun, OrderStatus } from '@arc/api/arc';
import { firstLine, hasFailed, lastRunFailed, rollUpOrder } from '@arc/api/arc';
import type { ArtifactWorkflow, OrderRollUp } from '@arc/api/arc';
import { scheduleOfRun } from '../artifact-workflow/build-cron-workflow.ts';
import { timestamp, updatedConditions } from '../metadata/conditions.ts';
import type { ConditionState } from '../metadata/conditions.ts';
import { isBlocking } from '../resolve/problem.ts';
import type { UnresolvedRun } from '../resolve/resolve-order.ts';
import type { RecordedGenerations } from './generations.ts';

/** Longest message of one entry, in characters; the whole text is in the ArtifactWorkflow. */
const maxEntryMessage = 500;

/** The entry of a run that has an ArtifactWorkflow. */
export function entryOf(workflow: ArtifactWorkflow, artifactIndex: number): OrderRun {
  const { phase = 'Pending', reason, message, progress, startTime, completionTime, failureTime } = workflow.status ?? {};
  const { lastScheduled, nextScheduled, succeeded, failed } = workflow.status ?? {};
  const text = firstLine(message, maxEntryMessage);
  return {
    artifactIndex,
    name: workflow.metadata.name ?? '',
    phase,
    ...(reason !== undefined && { reason }),
    ...(text !== undefined && { message: text }),
    ...(phase === 'Pending' && isBlocking(reason) && { blocked: true }),
    ...(progress !== undefined && { progress }),
    ...(startTime !== undefined && { startTime }),
    ...(completionTime !== undefined && { completionTime }),
    ...(failureTime !== undefined && { failureTime }),
    ...(scheduleOfRun(workflow) !== undefined && {
      ...(lastScheduled !== undefined && { lastScheduled }),
      ...(nextScheduled !== undefined && { nextScheduled }),
      ...(succeeded !== undefined && { succeeded }),
      ...(failed !== undefined && { failed }),
    }),
  };
}

/** The entry of a run that has no ArtifactWorkflow yet. */
export function waitingEntry(artifactIndex: number, name: string, why: { readonly reason: string; readonly message: string }): OrderRun {
  const { reason, message } = why;
  return { artifactIndex, name, phase: 'Pending', reason, message, ...(isBlocking(reason) && { blocked: true }) };
}

/** The entry of an artifact that cannot be run: Pending while it waits for something, Failed while it is wrong. */
export function problemEntry({ index, problem, blocked }: UnresolvedRun): OrderRun {
  return {
    artifactIndex: index,
    phase: blocked ? 'Pending' : 'Failed',
    reason: problem.reason,
    message: problem.message,
    ...(blocked && { blocked: true }),
  };
}

export interface OrderFindings {
  /** By content hash, or by the key of an unresolved artifact. */
  readonly entries: ReadonlyMap<string, OrderRun>;
  readonly unresolved: readonly UnresolvedRun[];
  readonly generations: RecordedGenerations;
  /** What was delivered and is not asked for at the moment: time of completion by content hash. */
  readonly deliveries: Readonly<Record<string, string>>;
  /** The force-at value that is in force, seconds since the epoch. */
  readonly force: number | undefined;
  /** The retry annotation that has been carried out. */
  readonly retry: string | undefined;
}

/** The status an Order should have. Depends on `now` only where a condition changes. */
export function orderStatus(order: Order, findings: OrderFindings, now: number): OrderStatus {
  const { entries, unresolved, generations, deliveries, force, retry } = findings;
  const before = order.status ?? {};
  const rollUp = rollUpOrder(entries.values());
  const observedGeneration = order.metadata.generation ?? 0;
  const states = [acceptedState(unresolved), ...progressStates(rollUp, order.spec?.suspend === true)].map((state) => ({
    ...state,
    observedGeneration,
  }));
  return {
    ...(before.lastReconcileAt !== undefined && { lastReconcileAt: before.lastReconcileAt }),
    ...(force !== undefined && { lastForceAt: timestamp(force * 1000) }),
    ...(retry !== undefined && { lastRetry: retry }),
    observedGeneration,
    phase: rollUp.phase,
    message: summary(order, rollUp, entries),
    counts: rollUp.counts,
    conditions: updatedConditions(before.conditions ?? [], states, timestamp(now)),
    ...scheduleTimes(entries.values()),
    artifactWorkflows: Object.fromEntries(entries),
    ...(Object.keys(deliveries).length > 0 && { deliveries }),
    ...generations,
  };
}

/** The last time anything was due, and the next one. */
function scheduleTimes(entries: Iterable<OrderRun>): Pick<OrderStatus, 'lastScheduled' | 'nextScheduled'> {
  const runs = [...entries];
  const lastScheduled = runs
    .flatMap((run) => run.lastScheduled ?? [])
    .sort()
    .at(-1);
  const [nextScheduled] = runs.flatMap((run) => run.nextScheduled ?? []).sort();
  return { ...(lastScheduled !== undefined && { lastScheduled }), ...(nextScheduled !== undefined && { nextScheduled }) };
}

type State = Omit<ConditionState, 'observedGeneration'>;

function acceptedState(unresolved: readonly UnresolvedRun[]): State {
  const [first] = unresolved;
  if (first === undefined) return { type: 'Accepted', status: 'True', reason: 'Resolved', message: 'every artifact can be run' };
  const more = unresolved.length > 1 ? ` (and ${unresolved.length - 1} more)` : '';
  return { type: 'Accepted', status: 'False', reason: first.problem.reason, message: `${first.problem.message}${more}` };
}

function progressStates({ phase, counts }: OrderRollUp, suspended: boolean): State[] {
  const { total, succeeded, failed, running, pending, blocked } = counts;
  const underWay = running + (suspended ? 0 : pending) > 0;
  const paused = suspended && !underWay && pending > 0;
  const done = phase === 'Succeeded' || phase === 'Failed';
  const idleReason = paused ? 'Suspended' : done && blocked === 0 ? 'Finished' : 'Blocked';
  const numbers = `${succeeded} of ${total} succeeded, ${failed} failed`;
  return [
    underWay
      ? { type: 'Progressing', status: 'True', reason: phase, message: `${running} running, ${pending} pending` }
      : {
          type: 'Progressing',
          status: 'False',
          reason: idleReason,
          message: paused ? `suspended, ${pending} pending` : blockedText(blocked),
        },
    { type: 'Completed', status: done && blocked === 0 ? 'True' : 'False', reason: phase, message: numbers },
    { type: 'Failed', status: phase === 'Failed' ? 'True' : 'False', reason: phase, message: numbers },
  ];
}

function blockedText(blocked: number): string {
  return blocked === 0 ? 'nothing is left to do' : `${blocked} waiting for what does not exist`;
}

function summary(order: Order, { counts }: OrderRollUp, entries: ReadonlyMap<string, OrderRun>): string {
  const { total, succeeded, failed, blocked, pending } = counts;
  if (total === 0) return 'the Order asks for no artifacts';
  const scheduled = [...entries.values()].filter(({ phase }) => phase === 'Active');
  const once = total - scheduled.length;
  const parts =
    once === 0 ? [] : [`${succeeded} of ${once} artifacts ${order.spec?.dryRun === true ? 'checked (dry run)' : 'transferred'}`];
  if (scheduled.length > 0) parts.push(scheduleText(scheduled));
  if (order.spec?.suspend === true && pending > 0) parts.push(`suspended with ${pending} not started`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (blocked > 0) parts.push(`${blocked} waiting`);
  const worst = [...entries.values()].find(
    ({ phase, reason, blocked: waits }) => hasFailed(phase) || waits === true || reason === lastRunFailed,
  );
  return worst?.message === undefined ? parts.join(', ') : `${parts.join(', ')}: ${worst.message}`;
}

function scheduleText(scheduled: readonly OrderRun[]): string {
  const { nextScheduled } = scheduleTimes(scheduled);
  const count = `${scheduled.length} scheduled`;
  return nextScheduled === undefined ? count : `${count}, next at ${nextScheduled}`;
}
