import { parseDuration } from '../duration.ts';
import { ArcError, messageOf } from '../errors.ts';
import { timeZone } from './time-zone.ts';

/** Days and times of day, on the clock on the wall. */
export interface CalendarSchedule {
  readonly kind: 'calendar';
  /** The zone a `CRON_TZ=` prefix names; undefined: whatever holds for schedules that name none. */
  readonly zone: string | undefined;
  /** Ascending, 0 to 1439. */
  readonly minutesOfDay: readonly number[];
  readonly months: ReadonlySet<number>;
  readonly daysOfMonth: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly daysOfWeek: ReadonlySet<number>;
  /** True when a day has to be in both sets; false when one of them is enough, as cron has it when both are restricted. */
  readonly bothDays: boolean;
}

/** Times at equal distances. */
interface IntervalSchedule {
  readonly kind: 'interval';
  readonly everyMs: number;
}

export type Schedule = CalendarSchedule | IntervalSchedule;

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const minute: Field = { name: 'minute', min: 0, max: 59 };
const hour: Field = { name: 'hour', min: 0, max: 23 };
const dayOfMonth: Field = { name: 'day of month', min: 1, max: 31 };
const month: Field = {
  name: 'month',
  min: 1,
  max: 12,
  names: ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
};
const dayOfWeek: Field = { name: 'day of week', min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] };

const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/**
 * Reads a schedule as Argo does (`ParseStandard` of robfig/cron v3): five fields, a descriptor such as `@daily` or
 * `@every 90m`, each after an optional `CRON_TZ=<zone>` or `TZ=<zone>`.
 *
 * @throws ArcError `InvalidSchedule`
 */
export function parseSchedule(text: string): Schedule {
  const { zone, expression } = splitZone(text);
  if (expression.startsWith('@every ')) return { kind: 'interval', everyMs: intervalOf(expression) };
  if (!expression.startsWith('@')) return calendar(expression, zone);
  const meaning = Object.hasOwn(descriptors, expression) ? descriptors[expression] : undefined;
  if (meaning === undefined) throw invalid(`unrecognized descriptor ${JSON.stringify(expression)}`);
  return calendar(meaning, zone);
}

function splitZone(text: string): { readonly zone: string | undefined; readonly expression: string } {
  const prefix = /^(?:CRON_TZ|TZ)=(\S*)\s+/.exec(text);
  if (prefix === null) return { zone: undefined, expression: text.trim() };
  const zone = prefix[1] ?? '';
  try {
    timeZone(zone);
  } catch (error) {
    throw invalid(messageOf(error));
  }
  return { zone, expression: text.slice(prefix[0].length).trim() };
}

/** Whole seconds, at least one. */
function intervalOf(expression: string): number {
  let ms: number;
  try {
    ms = parseDuration(expression.slice('@every '.length));
  } catch {
    throw invalid(`${JSON.stringify(expression)} is not @every followed by a duration such as 30m`);
  }
  if (ms <= 0) throw invalid('the interval must be positive');
  return Math.max(1, Math.floor(ms / 1000)) * 1000;
}

function calendar(expression: string, zone: string | undefined): CalendarSchedule {
  const parts = expression.split(/\s+/).filter((part) => part !== '');
  if (parts.length !== 5) throw invalid(`expected exactly 5 fields, found ${parts.length}`);
  const [minuteText = '', hourText = '', dayText = '', monthText = '', weekdayText = ''] = parts;
  const minutes = parseField(minuteText, minute);
  const hours = parseField(hourText, hour);
  const days = parseField(dayText, dayOfMonth);
  const months = parseField(monthText, month);
  const weekdays = parseField(weekdayText, dayOfWeek);
  const ascending = (values: ReadonlySet<number>): number[] => [...values].sort((a, b) => a - b);
  return {
    kind: 'calendar',
    zone,
    minutesOfDay: ascending(hours.values).flatMap((hour) => ascending(minutes.values).map((minute) => hour * 60 + minute)),
    months: months.values,
    daysOfMonth: days.values,
    daysOfWeek: weekdays.values,
    bothDays: days.any || weekdays.any,
  };
}

interface ParsedField {
  readonly values: ReadonlySet<number>;
  /** True when the field says that any value will do; a `*` in steps is a restriction. */
  readonly any: boolean;
}

function parseField(text: string, field: Field): ParsedField {
  const values = new Set<number>();
  let any = false;
  for (const range of text.split(',')) {
    const match = /^(\*|\?|[0-9a-z]+)(?:-([0-9a-z]+))?(?:\/(\d+))?$/i.exec(range);
    if (match === null) throw invalid(`${field.name} ${JSON.stringify(range)} is not a number, range, step or *`);
    const [, first = '', last, stepText] = match;
    const wildcard = first === '*' || first === '?';
    if (wildcard && last !== undefined) throw invalid(`${field.name} ${JSON.stringify(range)} is not a range`);
    const step = stepText === undefined ? 1 : Number(stepText);
    if (step === 0) throw invalid(`${field.name} ${JSON.stringify(range)} has a step of zero`);
    const start = wildcard ? field.min : valueOf(first, field);
    // `5/15` means from 5 on.
    const open = wildcard || (last === undefined && stepText !== undefined);
    const end = open ? field.max : last === undefined ? start : valueOf(last, field);
    if (start === undefined || end === undefined) {
      throw invalid(`${field.name} ${JSON.stringify(range)} is not within ${field.min}-${field.max}`);
    }
    if (start > end) throw invalid(`${field.name} ${JSON.stringify(range)} begins after its end`);
    for (let value = start; value <= end; value += step) values.add(value);
    any ||= wildcard && step === 1;
  }
  return { values, any };
}

function valueOf(text: string, field: Field): number | undefined {
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= field.min && value <= field.max ? value : undefined;
}

function invalid(problem: string): ArcError {
  return new ArcError('InvalidSchedule', problem, { hint: 'Write five fields such as "30 3 * * *", or a descriptor such as @daily.' });
}
