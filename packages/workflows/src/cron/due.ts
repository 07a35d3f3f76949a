import type { CronPlan } from './cron-spec.ts';

export interface DueInput {
  readonly now: number;
  /** The scheduled time of the last run; undefined when there was none. */
  readonly last: number | undefined;
  /** Since when somebody stands ready to start runs on time. */
  readonly since: number;
  /** Missed times up to this one are not to be looked at again. */
  readonly passedOver: number;
  /** False when the schedule is not that of the last run: then nothing was missed. */
  readonly sameSchedule: boolean;
}

/** A last run further ahead than this was recorded by a wrong clock. */
const maxAheadMs = 86_400_000;

/**
 * The scheduled time a run is due for, never one that is recorded as run. Of several times that have passed only the last
 * one counts. A time that passed while nobody stood ready is due until its deadline, and without one it is not (as in Argo).
 */
export function dueTime(plan: Pick<CronPlan, 'timetable' | 'deadlineMs'>, input: DueInput): number | undefined {
  const { now, since, passedOver, sameSchedule } = input;
  const last = credibleTime(input.last, now);
  const onTime = plan.timetable.latest(Math.max(since, last ?? since), now);
  if (onTime !== undefined) return onTime;
  if (plan.deadlineMs === undefined || last === undefined || !sameSchedule) return undefined;
  const missed = plan.timetable.latest(last, now);
  return missed !== undefined && missed > passedOver && now < missed + plan.deadlineMs ? missed : undefined;
}

/** The next scheduled time, unless it is recorded as run. */
export function nextTime(plan: Pick<CronPlan, 'timetable'>, now: number, last: number | undefined): number | undefined {
  return plan.timetable.next(Math.max(now, credibleTime(last, now) ?? now));
}

function credibleTime(time: number | undefined, now: number): number | undefined {
  return time === undefined || time > now + maxAheadMs ? undefined : time;
}
