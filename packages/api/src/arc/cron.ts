import { fieldError, s } from '@arc/apimachinery';
import type { FieldError, Static } from '@arc/apimachinery';
import { formatAge, messageOf, parseSchedule, shortestInterval, timeZone } from '@arc/kernel';
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
    disabled: optional(s.boolean({ description: 'True: not scheduled, whatever the defaults say; the artifact is transferred once.' })),
  },
  { description: 'When the artifact is transferred again.' },
);
export type Cron = Static<typeof cron>;

/** How close two runs of one artifact may be, unless a server says otherwise: 10 minutes, as upstream has it. */
export const defaultMinimumCronInterval = 600_000;

export interface CronLimits {
  /** Milliseconds; 0: no limit. Default 10 minutes. */
  readonly minimumCronInterval?: number;
}

/** Each is looked for on every day of 28 years. */
const maxSchedules = 50;

const policies = ['Allow', 'Forbid', 'Replace'];

/**
 * Checks a schedule: syntax of each expression, time zone, policy, deadline, and that no two runs come closer than
 * `minimumMs` by the clock on the wall, whichever of the schedules they are from.
 */
export function validateCron(value: Cron, path: string, minimumMs: number): FieldError[] {
  const errors: FieldError[] = [];
  const schedules = value.schedules ?? [];
  if (value.disabled === true) {
    return schedules.length === 0 ? [] : [fieldError.forbidden(`${path}.schedules`, 'may not be set together with disabled')];
  }
  if (schedules.length === 0) errors.push(fieldError.required(`${path}.schedules`, 'at least one schedule is needed'));
  if (schedules.length > maxSchedules) {
    return [fieldError.invalid(`${path}.schedules`, schedules.length, `at most ${maxSchedules} schedules are allowed`)];
  }
  for (const [index, schedule] of schedules.entries()) {
    const problem = problemOf(() => parseSchedule(schedule));
    if (problem !== undefined) errors.push(fieldError.invalid(`${path}.schedules[${index}]`, schedule, problem));
  }
  const { timezone = '', concurrencyPolicy = '', startingDeadlineSeconds = 0 } = value;
  if (problemOf(() => timeZone(timezone)) !== undefined) {
    errors.push(fieldError.invalid(`${path}.timezone`, timezone, 'must be an IANA time zone such as Europe/Berlin'));
  }
  if (errors.length === 0) errors.push(...intervalErrors(schedules, timezone, path, minimumMs));
  if (concurrencyPolicy !== '' && !policies.includes(concurrencyPolicy)) {
    errors.push(fieldError.notSupported(`${path}.concurrencyPolicy`, concurrencyPolicy, policies));
  }
  if (startingDeadlineSeconds < 0) {
    errors.push(fieldError.invalid(`${path}.startingDeadlineSeconds`, startingDeadlineSeconds, 'must be greater than or equal to 0'));
  }
  return errors;
}

function intervalErrors(schedules: readonly string[], timezone: string, path: string, minimumMs: number): FieldError[] {
  if (minimumMs <= 0 || shortestOf(schedules, timezone) >= minimumMs) return [];
  const minimum = `two runs may not be less than ${formatAge(minimumMs)} apart`;
  const [only] = schedules;
  if (schedules.length === 1 && only !== undefined) return [fieldError.invalid(`${path}.schedules[0]`, only, minimum)];
  const hint = schedules.some((schedule) => schedule.includes('@every '))
    ? '; an @every beside another schedule may come at any distance from it'
    : ', whichever of the schedules they are from';
  return [fieldError.invalid(`${path}.schedules`, schedules.join(', '), `${minimum}${hint}`)];
}

/** Looking through the calendar takes milliseconds, and every write of an Order asks. */
const shortest = new Map<string, number>();

function shortestOf(schedules: readonly string[], timezone: string): number {
  const key = JSON.stringify([timezone, schedules]);
  const known = shortest.get(key);
  if (known !== undefined) return known;
  if (shortest.size >= 1000) shortest.clear();
  const interval = shortestInterval(schedules, { timezone });
  shortest.set(key, interval);
  return interval;
}

function problemOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
