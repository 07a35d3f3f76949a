import type { Order, OrderRun, OrderStatus } from '@arc/api/arc';
import { firstLine, hasFailed, lastRunFailed, rollUpOrder } from '@arc/api/arc';
import type { ArtifactWorkflow, OrderRollUp } from '@arc/api/arc';
import { scheduleOfRun } from '../artifact-workflow/build-cron-workflow.ts';
import { timestamp, updatedConditions } from '../metadata/conditions.ts';
import type { ConditionState } from '../metadata/conditions.ts';
import { isBlocking } from '../resolve/problem.ts';
import type { UnresolvedRun } from '../resolve/resolve-order.ts';
import type { RecordedGenerations } from './generations.ts';
import type { UnreadyEndpoint } from './readiness.ts';

/** Longest message of one entry, in characters; the whole text is in the ArtifactWorkflow. */
const maxEntryMessage = 500;

/** The entry of a run that has an ArtifactWorkflow. */
export function entryOf(workflow: ArtifactWorkflow, artifactIndex: number): OrderRun {
  const { phase = 'Pending', reason, message, progress, progressUnit, startTime, completionTime, failureTime } = workflow.status ?? {};
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
    ...(progressUnit !== undefined && { progressUnit }),
    ...(startTime !== undefined && { startTime }),
    ...(completionTime !== undefined && { completionTime }),
    ...(failureTime !== undefined && { failureTime }),
    ...(succeeded !== undefined && { succeeded }),
    ...(failed !== undefined && { failed }),
    ...(scheduleOfRun(workflow) !== undefined && {
      ...(lastScheduled !== undefined && { lastScheduled }),
      ...(nextScheduled !== undefined && { nextScheduled }),
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
  /** Endpoints in use that say that they cannot be used. */
  readonly unready: readonly UnreadyEndpoint[];
  /** The force-at value that is in force, seconds since the epoch. */
  readonly force: number | undefined;
  /** The retry annotation that has been carried out. */
  readonly retry: string | undefined;
}

/** The status an Order should have. Depends on `now` only where a condition changes. */
export function orderStatus(order: Order, findings: OrderFindings, now: number): OrderStatus {
  const { entries, unresolved, generations, deliveries, unready, force, retry } = findings;
  const before = order.status ?? {};
  const rollUp = rollUpOrder(entries.values());
  const observedGeneration = order.metadata.generation ?? 0;
  // Of an Order that has delivered everything it is no news, and nobody would keep it up to date.
  const isDone = rollUp.phase === 'Succeeded';
  const states = [
    acceptedState(unresolved),
    ...(isDone ? [] : [readinessState(unready)]),
    ...progressStates(rollUp, order.spec?.suspend === true),
  ].map((state) => ({ ...state, observedGeneration }));
  const kept = (before.conditions ?? []).filter(({ type }) => type !== endpointsReady || !isDone);
  return {
    ...(before.lastReconcileAt !== undefined && { lastReconcileAt: before.lastReconcileAt }),
    ...(force !== undefined && { lastForceAt: timestamp(force * 1000) }),
    ...(retry !== undefined && { lastRetry: retry }),
    observedGeneration,
    phase: rollUp.phase,
    message: [summary(order, rollUp, entries), ...(isDone ? [] : unreadyText(unready))].join('; '),
    counts: rollUp.counts,
    conditions: updatedConditions(kept, states, timestamp(now)),
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

const endpointsReady = 'EndpointsReady';

function readinessState(unready: readonly UnreadyEndpoint[]): State {
  const [first] = unready;
  if (first === undefined) {
    return { type: endpointsReady, status: 'True', reason: 'NoneUnready', message: 'no Endpoint in use says that it is not ready' };
  }
  return { type: endpointsReady, status: 'False', reason: first.reason, message: unready.map(({ message }) => message).join('; ') };
}

/** What is missing says the artifact that waits for it already. */
function unreadyText(unready: readonly UnreadyEndpoint[]): string[] {
  const [first, ...others] = unready.filter(({ reason }) => reason !== 'SecretNotFound');
  if (first === undefined) return [];
  return [`${first.message}${others.length === 0 ? '' : ` (and ${others.length} more)`}`];
}

function progressStates({ phase, counts }: OrderRollUp, suspended: boolean): State[] {
  const { total, succeeded, failed, running, pending, blocked, scheduled } = counts;
  const underWay = running + (suspended ? 0 : pending) > 0;
  const held = pending + scheduled;
  const paused = suspended && !underWay && held > 0;
  const done = phase === 'Succeeded' || phase === 'Failed';
  const ended = done && blocked + scheduled === 0;
  const idleReason = paused ? 'Suspended' : ended ? 'Finished' : blocked > 0 ? 'Blocked' : 'Scheduled';
  const numbers = `${succeeded} of ${total} succeeded, ${failed} failed`;
  return [
    underWay
      ? { type: 'Progressing', status: 'True', reason: phase, message: `${running} running, ${pending} pending` }
      : {
          type: 'Progressing',
          status: 'False',
          reason: idleReason,
          message: paused ? `suspended, ${held} held` : idleText(blocked, scheduled),
        },
    { type: 'Completed', status: ended ? 'True' : 'False', reason: phase, message: numbers },
    { type: 'Failed', status: phase === 'Failed' ? 'True' : 'False', reason: phase, message: numbers },
  ];
}

function idleText(blocked: number, scheduled: number): string {
  if (blocked > 0) return `${blocked} waiting for what does not exist`;
  return scheduled > 0 ? `${scheduled} scheduled` : 'nothing is left to do';
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
