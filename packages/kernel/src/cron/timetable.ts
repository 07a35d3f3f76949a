import { nextMatch } from './next-match.ts';
import type { Schedule } from './schedule.ts';
import { parseSchedule } from './schedule.ts';
import { timeZone } from './time-zone.ts';
import type { TimeZone } from './time-zone.ts';

export interface TimetableOptions {
  /** Zone of the schedules that name none of their own. Default: that of this machine. */
  readonly timezone?: string | undefined;
  /** The moment from which `@every` counts, milliseconds since the epoch. Default 0. */
  readonly anchor?: number;
}

const windows = [3_600_000, 86_400_000, 32 * 86_400_000, 400 * 86_400_000, Number.POSITIVE_INFINITY];

/** The times of several schedules taken together; a time of two of them is one time. */
export class Timetable {
  readonly #entries: readonly { readonly schedule: Schedule; readonly zone: TimeZone }[];
  readonly #anchor: number;

  /** @throws ArcError `InvalidSchedule` or `InvalidTimeZone` */
  constructor(schedules: readonly string[], { timezone = '', anchor = 0 }: TimetableOptions = {}) {
    const common = timeZone(timezone === '' ? 'Local' : timezone);
    this.#entries = schedules.map((text) => {
      const schedule = parseSchedule(text);
      const own = schedule.kind === 'calendar' ? schedule.zone : undefined;
      return { schedule, zone: own === undefined ? common : timeZone(own) };
    });
    this.#anchor = Math.floor(anchor / 1000) * 1000;
  }

  /** The first time after a moment; undefined when there is none in about five years. */
  next(after: number): number | undefined {
    let first: number | undefined;
    for (const { schedule, zone } of this.#entries) {
      const time = schedule.kind === 'interval' ? this.#nextInterval(schedule.everyMs, after) : nextMatch(schedule, zone, after);
      if (time !== undefined && (first === undefined || time < first)) first = time;
    }
    return first;
  }

  /** The last time after a moment and not after another. */
  latest(after: number, until: number): number | undefined {
    for (const window of windows) {
      const start = Math.max(after, until - window);
      let found: number | undefined;
      for (let time = this.next(start); time !== undefined && time <= until; time = this.next(time)) found = time;
      if (found !== undefined || start === after) return found;
    }
    return undefined;
  }

  #nextInterval(everyMs: number, after: number): number {
    const passed = Math.floor((after - this.#anchor) / everyMs);
    return this.#anchor + Math.max(1, passed + 1) * everyMs;
  }
}
