import type { CronWorkflow } from '@arc/api/argo';
import { messageOf, Timetable } from '@arc/kernel';
import { cronSupport } from '../capabilities/support-tables.ts';
import type { Shape } from '../model/shape.ts';
import { shapeFaults } from '../model/shape.ts';
import { mayRun, mustStop } from './cron-expressions.ts';

/** What a CronWorkflow asks for, settled. */
export interface CronPlan {
  readonly timetable: Timetable;
  /** As Argo notes it down to tell that somebody changed it. */
  readonly scheduleText: string;
  readonly policy: 'Allow' | 'Forbid' | 'Replace';
  readonly suspended: boolean;
  /** How late a missed run may start, milliseconds; undefined: not at all. */
  readonly deadlineMs: number | undefined;
  readonly keepSucceeded: number;
  readonly keepFailed: number;
}

/** Argo's limit, which leaves room for the time in the names of the Workflows. */
const maxNameLength = 52;

const fields: Readonly<Record<string, Shape>> = {
  workflowSpec: { fields: {} },
  schedule: 'string',
  schedules: { list: 'string' },
  timezone: 'string',
  concurrencyPolicy: 'string',
  suspend: 'boolean',
  startingDeadlineSeconds: 'number',
  successfulJobsHistoryLimit: 'number',
  failedJobsHistoryLimit: 'number',
  workflowMetadata: { fields: { labels: { map: 'string' }, annotations: { map: 'string' }, finalizers: { list: 'string' } } },
  stopStrategy: { fields: { expression: 'string' }, required: ['expression'] },
  when: 'string',
};
const shape: Shape = { fields, required: ['workflowSpec'] };
const policies = ['Allow', 'Forbid', 'Replace'] as const;

/** Reads a spec the server let in as it was; a text says everything that keeps this engine from doing what it asks for. */
export function readCronSpec(cron: CronWorkflow): CronPlan | string {
  const faults = shapeFaults(cron.spec, shape, 'spec').map(({ field, reason }) => `${field} ${reason}`);
  if (faults.length > 0) return faults.join('; ');
  const problems = [...unknownFields(cron), ...rules(cron)];
  const timetable = timetableOf(cron);
  if (typeof timetable === 'string') problems.push(timetable);
  if (problems.length > 0 || typeof timetable === 'string') return problems.join('; ');
  const { spec } = cron;
  const deadline = spec.startingDeadlineSeconds ?? 0;
  return {
    timetable,
    scheduleText: schedulesOf(cron)
      .map((schedule) => ((spec.timezone ?? '') === '' ? schedule : `CRON_TZ=${spec.timezone} ${schedule}`))
      .join(','),
    policy: policies.find((policy) => policy === spec.concurrencyPolicy) ?? 'Allow',
    suspended: spec.suspend === true,
    deadlineMs: deadline > 0 ? deadline * 1000 : undefined,
    keepSucceeded: limitOf(spec.successfulJobsHistoryLimit, 3),
    keepFailed: limitOf(spec.failedJobsHistoryLimit, 1),
  };
}

function unknownFields({ spec }: CronWorkflow): string[] {
  return Object.entries(spec).flatMap(([field, value]) =>
    Object.hasOwn(cronSupport, field) || value === null ? [] : [`spec.${field}: the field is not known to the embedded engine`],
  );
}

function rules(cron: CronWorkflow): string[] {
  const { metadata, spec } = cron;
  const { name = '' } = metadata;
  const problems: string[] = [];
  if (name.length > maxNameLength) problems.push(`the name has ${name.length} characters; at most ${maxNameLength} are allowed`);
  const policy = spec.concurrencyPolicy ?? '';
  if (policy !== '' && !policies.includes(policy)) {
    problems.push(`spec.concurrencyPolicy: ${JSON.stringify(policy)} is none of ${policies.join(', ')}`);
  }
  if ((spec.schedules ?? []).length > 0 && (spec.schedule ?? '') !== '') {
    problems.push('spec.schedule may not be set together with spec.schedules');
  }
  problems.push(...expressionProblem('spec.when', () => mayRun(cron)));
  problems.push(...expressionProblem('spec.stopStrategy.expression', () => mustStop(cron)));
  return problems;
}

function expressionProblem(field: string, evaluate: () => boolean): string[] {
  try {
    evaluate();
    return [];
  } catch (error) {
    return [`${field}: ${messageOf(error)}`];
  }
}

/** Times of `@every` count from the creation, so that they are the same after a restart. */
function timetableOf(cron: CronWorkflow): Timetable | string {
  const schedules = schedulesOf(cron);
  const { timezone = '' } = cron.spec;
  if (schedules.length === 0) return 'spec.schedules: at least one schedule is needed';
  const zoned = schedules.find((schedule) => /^(?:CRON_TZ|TZ)=/.test(schedule));
  if (timezone !== '' && zoned !== undefined) return `spec.schedules: ${JSON.stringify(zoned)} names a time zone beside spec.timezone`;
  try {
    return new Timetable(schedules, { timezone, anchor: Date.parse(cron.metadata.creationTimestamp ?? '') || 0 });
  } catch (error) {
    return `spec.schedules: ${messageOf(error)}`;
  }
}

function schedulesOf({ spec }: CronWorkflow): readonly string[] {
  const several = spec.schedules ?? [];
  if (several.length > 0) return several;
  return (spec.schedule ?? '') === '' ? [] : [spec.schedule ?? ''];
}

/** A negative limit counts as none, as in Argo. */
function limitOf(limit: number | null | undefined, otherwise: number): number {
  return typeof limit === 'number' && limit >= 0 ? limit : otherwise;
}
