import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { golden } from '../../test/robfig-cron.ts';
import { parseSchedule } from './schedule.ts';
import { timeZone } from './time-zone.ts';
import { Timetable } from './timetable.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;
const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString().replace('.000', ''));

/** The first few times of one schedule after a moment. */
function times(schedule: string, timezone: string, after: string, count: number): (string | undefined)[] {
  const timetable = new Timetable([schedule], { timezone });
  const found: (number | undefined)[] = [];
  for (let time: number | undefined = Date.parse(after); found.length < count && time !== undefined;)
    found.push((time = timetable.next(time)));
  return found.map(iso);
}

test('times are those of robfig/cron', () => {
  for (const [schedule, timezone, after, ...expected] of golden) {
    assert.deepEqual(times(schedule, timezone, after, expected.length), expected, `${schedule} in ${timezone} after ${after}`);
  }
});

test('a time that summer time skips does not come, one that it repeats comes twice (the table in Argo’s documentation)', () => {
  const zone = 'America/Los_Angeles';
  assert.deepEqual(times('59 1 * * *', zone, '2020-03-08T08:00:00Z', 2), ['2020-03-08T09:59:00Z', '2020-03-09T08:59:00Z']);
  assert.deepEqual(times('0 2 * * *', zone, '2020-03-08T08:00:00Z', 2), ['2020-03-09T09:00:00Z', '2020-03-10T09:00:00Z']);
  assert.deepEqual(times('59 1 * * *', zone, '2020-11-01T07:30:00Z', 3), [
    '2020-11-01T08:59:00Z',
    '2020-11-01T09:59:00Z',
    '2020-11-02T09:59:00Z',
  ]);
  assert.deepEqual(times('0 2 * * *', zone, '2020-11-01T07:30:00Z', 2), ['2020-11-01T10:00:00Z', '2020-11-02T10:00:00Z']);
});

test('a day whose midnight does not exist is not passed over, nor is one on which clocks move by half an hour', () => {
  // robfig/cron passes over both days.
  assert.deepEqual(times('30 5 * * 5', 'Africa/Cairo', '2024-04-24T00:00:00Z', 2), ['2024-04-26T02:30:00Z', '2024-05-03T02:30:00Z']);
  assert.deepEqual(times('0 2 7 4 *', 'Australia/Lord_Howe', '2024-04-01T00:00:00Z', 1), ['2024-04-06T15:30:00Z']);
});

test('clocks that go back across midnight bring yesterday once more, in order', () => {
  assert.deepEqual(times('30 23,0 * * *', 'America/Sao_Paulo', '2018-02-17T23:00:00Z', 4), [
    '2018-02-18T01:30:00Z',
    '2018-02-18T02:30:00Z',
    '2018-02-18T03:30:00Z',
    '2018-02-19T02:30:00Z',
  ]);
  // At one minute past midnight, so that the first minute of the day comes before the repeated hour of the day before.
  assert.deepEqual(times('0,30 0,23 * * *', 'America/St_Johns', '2010-11-07T01:00:00Z', 5), [
    '2010-11-07T01:30:00Z',
    '2010-11-07T02:00:00Z',
    '2010-11-07T02:30:00Z',
    '2010-11-07T03:00:00Z',
    '2010-11-07T03:30:00Z',
  ]);
});

test('what never comes is not looked for longer than five years', () => {
  assert.deepEqual(times('0 0 30 2 *', 'UTC', '2024-01-01T00:00:00Z', 1), [undefined]);
  assert.deepEqual(times('0 0 29 2 *', 'UTC', '2096-03-01T00:00:00Z', 1), [undefined]);
  assert.deepEqual(times('0 0 29 2 *', 'UTC', '2024-03-01T00:00:00Z', 1), ['2028-02-29T00:00:00Z']);
});

test('@every counts from its anchor, whenever it is asked', () => {
  const anchor = Date.parse('2026-01-01T00:00:07.500Z');
  const timetable = new Timetable(['@every 1h30m'], { anchor });
  assert.equal(iso(timetable.next(anchor)), '2026-01-01T01:30:07Z');
  assert.equal(iso(timetable.next(anchor - 10 * dayMs)), '2026-01-01T01:30:07Z');
  assert.equal(iso(timetable.next(anchor + 100 * dayMs)), iso(Math.floor(anchor / 1000) * 1000 + 1601 * 90 * minuteMs));
});

test('several schedules are one timetable, in which a time counts once', () => {
  const timetable = new Timetable(['0 3 * * *', 'CRON_TZ=Asia/Tokyo 0 12 * * *', '0 4 * * *'], { timezone: 'UTC' });
  const first = timetable.next(Date.parse('2026-01-01T00:00:00Z')) ?? 0;
  assert.deepEqual([first, timetable.next(first)].map(iso), ['2026-01-01T03:00:00Z', '2026-01-01T04:00:00Z']);
  assert.equal(iso(timetable.latest(first - 40 * dayMs, first + 2 * hourMs)), '2026-01-01T04:00:00Z');
  assert.equal(timetable.latest(first, first + hourMs - 1), undefined);
  assert.equal(iso(timetable.latest(first, first + hourMs)), '2026-01-01T04:00:00Z');
});

test('what is no schedule or no zone is said to be so', () => {
  const rejected: readonly (readonly [text: string, problem: RegExp])[] = [
    ['0 3 * *', /exactly 5 fields, found 4/],
    ['0 0 3 * * *', /found 6/],
    ['60 * * * *', /minute "60" is not within 0-59/],
    ['* * 0 * *', /day of month "0"/],
    ['* * * * 7', /day of week "7" is not within 0-6/],
    ['5-1 * * * *', /begins after its end/],
    ['*/0 * * * *', /step of zero/],
    ['1,,2 * * * *', /minute ""/],
    ['*-5 * * * *', /is not a range/],
    ['@sometimes', /unrecognized descriptor/],
    ['@constructor', /unrecognized descriptor/],
    ['@every x', /@every followed by a duration/],
    ['@every 0s', /must be positive/],
    ['CRON_TZ=Mars/Base 0 0 * * *', /unknown time zone "Mars\/Base"/],
    ['TZ=+01:00 0 0 * * *', /unknown time zone "\+01:00"/],
  ];
  for (const [text, problem] of rejected) assert.throws(() => parseSchedule(text), { code: 'InvalidSchedule', message: problem }, text);
  assert.throws(() => timeZone('Nowhere'), { code: 'InvalidTimeZone' });
  assert.equal(timeZone('').name, 'UTC');
});

const list = (min: number, max: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant('*') },
    fc.integer({ min: 2, max: 9 }).map((step) => `*/${step}`),
    fc.array(fc.integer({ min, max }), { minLength: 1, maxLength: 3 }).map((values) => values.join(',')),
    fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
  );
const expression = fc.tuple(list(0, 59), list(0, 23), list(1, 31), list(1, 12), list(0, 6)).map((fields) => fields.join(' '));
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Africa/Cairo',
  'America/St_Johns',
  'Pacific/Apia',
  'Asia/Kathmandu',
];
/** Moments near which clocks of these zones change, and others. */
const moment = fc.oneof(
  fc
    .constantFrom(
      '2024-03-31T00:30Z',
      '2024-10-27T00:10Z',
      '2024-11-03T05:30Z',
      '2024-04-06T14:50Z',
      '2024-04-25T21:59Z',
      '2010-11-07T02:00Z',
      '2011-12-30T09:30Z',
    )
    .map(Date.parse),
  fc.integer({ min: Date.parse('2010-01-01'), max: Date.parse('2037-01-01') }),
);

test('the next time is the first minute at which the clock on the wall matches every field', () => {
  fc.assert(
    fc.property(
      expression,
      fc.constantFrom(...zones),
      moment,
      fc.integer({ min: -3 * hourMs, max: 3 * hourMs }),
      (text, zone, near, shift) => {
        const after = near + shift;
        const schedule = parseSchedule(text);
        assert.ok(schedule.kind === 'calendar');
        const { offsetAt } = timeZone(zone);
        const minutes = new Set(schedule.minutesOfDay);
        const next = new Timetable([text], { timezone: zone }).next(after);
        const until = Math.min(after + 18 * hourMs, next ?? Number.POSITIVE_INFINITY);
        for (let time = (Math.floor(after / minuteMs) + 1) * minuteMs; time <= until; time += minuteMs) {
          const wall = new Date(time + offsetAt(time));
          const byDate = schedule.daysOfMonth.has(wall.getUTCDate());
          const byWeekday = schedule.daysOfWeek.has(wall.getUTCDay());
          const matches: boolean =
            schedule.months.has(wall.getUTCMonth() + 1) &&
            (schedule.bothDays ? byDate && byWeekday : byDate || byWeekday) &&
            minutes.has(wall.getUTCHours() * 60 + wall.getUTCMinutes());
          assert.equal(matches, time === next, `${iso(time)} for ${text} in ${zone} after ${iso(after)}, next ${iso(next)}`);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('the latest time up to a moment is the one after which there is none until then', () => {
  fc.assert(
    fc.property(expression, fc.constantFrom(...zones), moment, fc.integer({ min: 0, max: 40 * dayMs }), (text, zone, after, length) => {
      const timetable = new Timetable([text], { timezone: zone });
      const latest = timetable.latest(after, after + length);
      if (latest === undefined) assert.ok((timetable.next(after) ?? Number.POSITIVE_INFINITY) > after + length);
      else {
        assert.ok(latest > after && latest <= after + length);
        assert.ok((timetable.next(latest) ?? Number.POSITIVE_INFINITY) > after + length);
      }
    }),
    { numRuns: 50 },
  );
});
