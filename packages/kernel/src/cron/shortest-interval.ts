import { dayMs, includesDay } from './next-match.ts';
import type { CalendarSchedule } from './schedule.ts';
import { parseSchedule } from './schedule.ts';
import { timeZone } from './time-zone.ts';

const minutesPerDay = 1440;
/** In 28 years, between two centuries, every date falls on every day of the week. */
const firstDay = Date.UTC(2001, 0, 1) / dayMs;
const lastDay = Date.UTC(2029, 0, 1) / dayMs;
/** Years whose rules for summer time decide how far zones are apart. */
const sampledFrom = Date.UTC(2026, 0, 1);
const sampledUntil = Date.UTC(2028, 0, 1);

/** Times of one schedule that fall on a day of UTC some days after that of its own zone. */
interface Share {
  readonly schedule: CalendarSchedule;
  readonly shift: number;
  readonly minutes: readonly number[];
}

interface Day {
  readonly first: number;
  readonly last: number;
  readonly gap: number;
}

/**
 * The shortest time between two times of any of the schedules, in milliseconds; infinite when there is at most one. By the
 * clock on the wall: what summer time skips or repeats does not count. An `@every` beside another schedule may come at any
 * distance from it, so the answer is 0.
 *
 * @throws ArcError `InvalidSchedule` or `InvalidTimeZone`
 */
export function shortestInterval(schedules: readonly string[], { timezone = '' }: { readonly timezone?: string | undefined } = {}): number {
  const parsed = [...new Set(schedules)].map(parseSchedule);
  const intervals = parsed.filter((schedule) => schedule.kind === 'interval');
  const calendars = parsed.filter((schedule) => schedule.kind === 'calendar');
  if (intervals.length > 0) return parsed.length === 1 ? (intervals[0]?.everyMs ?? 0) : 0;
  let shortest = Number.POSITIVE_INFINITY;
  for (const offsets of offsetsOf(calendars, timezone === '' ? 'Local' : timezone)) {
    shortest = Math.min(shortest, shortestOf(sharesOf(calendars, offsets)));
  }
  return shortest * 60_000;
}

/** The ways in which the zones of the schedules lie beside each other in the course of a year, minutes ahead of UTC. */
function offsetsOf(schedules: readonly CalendarSchedule[], common: string): readonly (readonly number[])[] {
  const zones = schedules.map(({ zone }) => timeZone(zone ?? common));
  if (new Set(zones.map(({ name }) => name)).size <= 1) return [schedules.map(() => 0)];
  const found = new Map<string, readonly number[]>();
  for (let time = sampledFrom; time < sampledUntil; time += dayMs) {
    const offsets = zones.map((zone) => zone.offsetAt(time) / 60_000);
    found.set(offsets.join(' '), offsets);
  }
  return [...found.values()];
}

function sharesOf(schedules: readonly CalendarSchedule[], offsets: readonly number[]): readonly Share[] {
  return schedules.flatMap((schedule, index) => {
    const byShift = new Map<number, number[]>();
    for (const minute of schedule.minutesOfDay) {
      const moved = minute - (offsets[index] ?? 0);
      const shift = Math.floor(moved / minutesPerDay);
      const minutes = byShift.get(shift) ?? [];
      minutes.push(moved - shift * minutesPerDay);
      byShift.set(shift, minutes);
    }
    return [...byShift].map(([shift, minutes]) => ({ schedule, shift, minutes }));
  });
}

/** In minutes. Days with the same shares look the same, so each kind of day is worked out once. */
function shortestOf(shares: readonly Share[]): number {
  const kinds = new Map<string, Day | undefined>();
  let shortest = Number.POSITIVE_INFINITY;
  let previous = Number.NEGATIVE_INFINITY;
  for (let day = firstDay; day < lastDay && shortest > 1; day += 1) {
    const present: number[] = [];
    for (const [index, { schedule, shift }] of shares.entries()) if (includesDay(schedule, day - shift)) present.push(index);
    if (present.length === 0) continue;
    const key = present.join(' ');
    if (!kinds.has(key)) kinds.set(key, dayOf(shares.filter((_, index) => present.includes(index))));
    const kind = kinds.get(key);
    if (kind === undefined) continue;
    shortest = Math.min(shortest, kind.gap, day * minutesPerDay + kind.first - previous);
    previous = day * minutesPerDay + kind.last;
  }
  return shortest;
}

function dayOf(shares: readonly Share[]): Day | undefined {
  const times = [...new Set(shares.flatMap(({ minutes }) => minutes))].sort((a, b) => a - b);
  const [first] = times;
  const last = times.at(-1);
  if (first === undefined || last === undefined) return undefined;
  let gap = Number.POSITIVE_INFINITY;
  for (const [index, time] of times.entries()) gap = Math.min(gap, time - (times[index - 1] ?? Number.NEGATIVE_INFINITY));
  return { first, last, gap };
}
