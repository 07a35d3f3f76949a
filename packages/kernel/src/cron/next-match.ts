import type { CalendarSchedule } from './schedule.ts';
import type { TimeZone } from './time-zone.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;
export const dayMs = 86_400_000;

/** How far ahead a time is looked for, as in robfig/cron: to the end of the fifth year from now. */
const maxYears = 5;

/**
 * The first moment after `after` (milliseconds since the epoch) at which the clock on the wall shows a time of the schedule;
 * undefined when there is none in five years. So a time that summer time skips does not come that day, and one that it
 * repeats comes twice.
 */
export function nextMatch(schedule: CalendarSchedule, zone: TimeZone, after: number): number | undefined {
  const wall = after + zone.offsetAt(after);
  const lastYear = new Date(wall).getUTCFullYear() + maxYears;
  // Where clocks go back across midnight, yesterday comes once more.
  for (let day = Math.floor(wall / dayMs) - 1; new Date(day * dayMs).getUTCFullYear() <= lastYear; day += 1) {
    if (!includesDay(schedule, day)) continue;
    const found = firstOfDay(schedule, zone, day, after);
    if (found === undefined) continue;
    if (!found.clocksChange || !includesDay(schedule, day + 1)) return found.time;
    return Math.min(found.time, firstOfDay(schedule, zone, day + 1, after)?.time ?? found.time);
  }
  return undefined;
}

/** True when the schedule has times on a day, counted from 1970-01-01. */
export function includesDay(schedule: CalendarSchedule, day: number): boolean {
  const date = new Date(day * dayMs);
  if (!schedule.months.has(date.getUTCMonth() + 1)) return false;
  const byDate = schedule.daysOfMonth.has(date.getUTCDate());
  const byWeekday = schedule.daysOfWeek.has(date.getUTCDay());
  return schedule.bothDays ? byDate && byWeekday : byDate || byWeekday;
}

interface Found {
  readonly time: number;
  /** True when the clocks of the zone are changed on or about that day. */
  readonly clocksChange: boolean;
}

function firstOfDay(schedule: CalendarSchedule, zone: TimeZone, day: number, after: number): Found | undefined {
  const midnight = day * dayMs;
  // Zones are between 12 hours behind and 14 hours ahead of UTC, so the day lies within these.
  const before = zone.offsetAt(midnight - 14 * hourMs);
  const behind = zone.offsetAt(midnight + 36 * hourMs);
  const clocksChange = before !== behind;
  let time = Number.POSITIVE_INFINITY;
  for (const offset of clocksChange ? [before, behind] : [before]) {
    for (const minute of schedule.minutesOfDay) {
      const moment = midnight + minute * minuteMs - offset;
      if (moment <= after) continue;
      if (clocksChange && zone.offsetAt(moment) !== offset) continue;
      time = Math.min(time, moment);
      break;
    }
  }
  return time === Number.POSITIVE_INFINITY ? undefined : { time, clocksChange };
}
