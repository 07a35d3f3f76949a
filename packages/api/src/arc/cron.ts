import { fieldError, s } from '@arc/apimachinery';
import type { FieldError, Static } from '@arc/apimachinery';
import { parseDuration } from '@arc/kernel';
import { optional } from './shared-schemas.ts';

export const cron = s.object(
  {
    timezone: optional(s.string({ description: 'IANA time zone the schedules are read in; unset: that of the engine.' })),
    concurrencyPolicy: optional(
      s.string({ description: 'What happens when a run is due while the last one is active: Allow, Forbid or Replace.' }),
    ),
    startingDeadlineSeconds: optional(s.integer({ description: 'How many seconds after its time a missed run may still start.' })),
    schedules: optional(s.array(s.string(), { description: 'Standard five-field cron expressions or descriptors such as @daily.' })),
    when: optional(s.string({ description: 'Argo expression; a run starts only when it holds.' })),
  },
  { description: 'When the artifact is transferred again.' },
);
export type Cron = Static<typeof cron>;

const policies = ['Allow', 'Forbid', 'Replace'];

/** Checks a schedule's shape: syntax of each expression, time zone, policy, deadline. */
export function validateCron(value: Cron, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const schedules = value.schedules ?? [];
  if (schedules.length === 0) errors.push(fieldError.required(`${path}.schedules`, 'at least one schedule is needed'));
  for (const [index, schedule] of schedules.entries()) {
    const problem = scheduleProblem(schedule);
    if (problem !== undefined) errors.push(fieldError.invalid(`${path}.schedules[${index}]`, schedule, problem));
  }
  const { timezone = '', concurrencyPolicy = '', startingDeadlineSeconds = 0 } = value;
  if (timezone !== '' && !isTimeZone(timezone)) {
    errors.push(fieldError.invalid(`${path}.timezone`, timezone, 'must be an IANA time zone such as Europe/Berlin'));
  }
  if (concurrencyPolicy !== '' && !policies.includes(concurrencyPolicy)) {
    errors.push(fieldError.notSupported(`${path}.concurrencyPolicy`, concurrencyPolicy, policies));
  }
  if (startingDeadlineSeconds < 0) {
    errors.push(fieldError.invalid(`${path}.startingDeadlineSeconds`, startingDeadlineSeconds, 'must be greater than or equal to 0'));
  }
  return errors;
}

interface CronField {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const fields: readonly CronField[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  {
    name: 'month',
    min: 1,
    max: 12,
    names: ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'day of week', min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

const descriptors = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

/** Returns what is wrong with a schedule as Argo reads it (five fields, descriptors, `CRON_TZ=` prefix), or nothing. */
function scheduleProblem(schedule: string): string | undefined {
  const prefix = /^(?:CRON_TZ|TZ)=(\S*)\s+/.exec(schedule);
  if (prefix !== null && !isTimeZone(prefix[1] ?? '')) return `unknown time zone ${JSON.stringify(prefix[1])}`;
  const expression = prefix === null ? schedule.trim() : schedule.slice(prefix[0].length).trim();
  if (expression.startsWith('@')) return descriptorProblem(expression);
  const parts = expression.split(/\s+/).filter((part) => part !== '');
  if (parts.length !== fields.length) return `expected exactly 5 fields, found ${parts.length}`;
  for (const [index, field] of fields.entries()) {
    const problem = fieldProblem(parts[index] ?? '', field);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function descriptorProblem(expression: string): string | undefined {
  if (descriptors.includes(expression)) return undefined;
  if (!expression.startsWith('@every ')) return `unrecognized descriptor ${JSON.stringify(expression)}`;
  try {
    return parseDuration(expression.slice('@every '.length)) > 0 ? undefined : 'the interval must be positive';
  } catch {
    return `${JSON.stringify(expression)} is not @every followed by a duration such as 30m`;
  }
}

function fieldProblem(text: string, field: CronField): string | undefined {
  for (const range of text.split(',')) {
    const match = /^(\*|\?|[0-9a-z]+)(?:-([0-9a-z]+))?(?:\/(\d+))?$/i.exec(range);
    if (match === null) return `${field.name} ${JSON.stringify(range)} is not a number, range, step or *`;
    const [, first = '', last, step] = match;
    const wildcard = first === '*' || first === '?';
    if (wildcard && last !== undefined) return `${field.name} ${JSON.stringify(range)} is not a range`;
    if (step === undefined ? false : Number(step) === 0) return `${field.name} ${JSON.stringify(range)} has a step of zero`;
    if (wildcard) continue;
    const start = cronNumber(first, field);
    const end = last === undefined ? start : cronNumber(last, field);
    if (start === undefined || end === undefined) {
      return `${field.name} ${JSON.stringify(range)} is not within ${field.min}-${field.max}`;
    }
    if (start > end) return `${field.name} ${JSON.stringify(range)} begins after its end`;
  }
  return undefined;
}

function cronNumber(text: string, field: CronField): number | undefined {
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= field.min && value <= field.max ? value : undefined;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return name === 'Local';
  }
}
