import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { shortestInterval } from './shortest-interval.ts';
import { Timetable } from './timetable.ts';

const minutes = (schedules: readonly string[], timezone?: string): number => shortestInterval(schedules, { timezone }) / 60_000;

test('the shortest time between two runs is found wherever in the calendar it is', () => {
  const cases: readonly (readonly [schedules: readonly string[], minutes: number, timezone?: string])[] = [
    [['* * * * *'], 1],
    [['*/15 * * * *'], 15],
    [['*/25 * * * *'], 10],
    [['0,1 3 * * *'], 1],
    [['0 3 * * *'], 1440],
    [['0 3 * * *', '0 3 * * *'], 1440],
    [['0 3 * * *', '5 3 * * *'], 5],
    [['0 3 * * *', '5 3 29 2 *'], 5],
    [['59 23 31 12 *', '0 0 1 1 *'], 1],
    [['0 3 13 * 5'], 1440],
    [['0 3 * * 1', '9 3 * * 2'], 1449],
    [['@hourly', '@daily'], 60],
    [['@every 20m'], 20],
    [['@every 20m', '0 3 * * *'], 0],
    [['0 3 1 1 *'], 365 * 1440],
    [['0 0 30 2 *'], Number.POSITIVE_INFINITY],
    [['0 3 * * *', 'CRON_TZ=UTC 5 2 * * *'], 5, 'Europe/Berlin'],
    [['0 3 * * *', 'CRON_TZ=UTC 5 1 * * *'], 5, 'Europe/Berlin'],
    [['0 3 * * *', 'CRON_TZ=UTC 30 1 * * *'], 30, 'Europe/Berlin'],
    [['30 23 * * *', 'CRON_TZ=Asia/Tokyo 35 8 * * *'], 5, 'UTC'],
  ];
  for (const [schedules, expected, timezone] of cases) assert.equal(minutes(schedules, timezone ?? 'UTC'), expected, schedules.join(' | '));
});

const field = (min: number, max: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constant('*'),
    fc.array(fc.integer({ min, max }), { minLength: 1, maxLength: 2 }).map((values) => values.join(',')),
  );
const schedule = fc.tuple(fc.integer({ min: 0, max: 59 }).map(String), field(0, 23), field(1, 28), fc.constant('*'), field(0, 6));

test('no two runs of a year come closer than it says', () => {
  fc.assert(
    fc.property(
      fc.array(
        schedule.map((fields) => fields.join(' ')),
        { minLength: 1, maxLength: 3 },
      ),
      (schedules) => {
        const shortest = shortestInterval(schedules, { timezone: 'UTC' });
        const timetable = new Timetable(schedules, { timezone: 'UTC' });
        let previous = timetable.next(Date.parse('2026-01-01'));
        for (let count = 0; count < 200 && previous !== undefined; count++) {
          const next = timetable.next(previous);
          if (next === undefined) return;
          assert.ok(next - previous >= shortest);
          previous = next;
        }
      },
    ),
    { numRuns: 40 },
  );
});
