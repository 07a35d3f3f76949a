import { s } from '@arc/apimachinery';
import type { KindDefinition, ResourceType } from '@arc/apimachinery';
import type { CronWorkflow } from './cron-workflow-types.ts';
import { argoGroup, argoVersion } from './workflow.ts';

export const cronWorkflows: ResourceType = {
  group: argoGroup,
  version: argoVersion,
  plural: 'cronworkflows',
  kind: 'CronWorkflow',
  namespaced: true,
};

/** As in Argo, the status is written with the object itself: there is no status subresource. */
export const cronWorkflowDefinition: KindDefinition<CronWorkflow> = {
  group: argoGroup,
  version: argoVersion,
  kind: 'CronWorkflow',
  names: { plural: 'cronworkflows', singular: 'cronworkflow', shortNames: ['cwf', 'cronwf'] },
  scope: 'Namespaced',
  description: 'CronWorkflow starts a Workflow whenever its schedules say so.',
  schema: s.object({
    spec: s.freeForm({ description: 'The schedules, what to run, and what to do about runs that meet or were missed.' }),
    status: s.optional(s.freeForm({ description: 'The runs that are active, how many ended how, and when the last one was due.' })),
  }),
  columns: [
    { name: 'Schedules', type: 'string', description: 'When it runs.', value: schedulesText },
    {
      name: 'Suspended',
      type: 'boolean',
      description: 'True while nothing is started.',
      value: ({ spec }) => spec.suspend === true,
    },
    { name: 'Phase', type: 'string', description: 'Active, or Stopped for good.', value: ({ status }) => status?.phase },
    {
      name: 'Active',
      type: 'integer',
      description: 'Workflows under way.',
      value: ({ status }) => (Array.isArray(status?.active) ? status.active.length : 0),
    },
    {
      name: 'Last Run',
      type: 'date',
      description: 'When the last run was due.',
      value: ({ status }) => status?.lastScheduledTime ?? undefined,
    },
    {
      name: 'Next Run',
      type: 'string',
      description: 'When the next run is due.',
      value: ({ status }) => status?.nextScheduledTime ?? undefined,
    },
    { name: 'Age', type: 'date', description: 'Time since creation.', value: ({ metadata }) => metadata.creationTimestamp ?? undefined },
  ],
};

/** Specs are free-form, so nothing may be taken for granted. */
function schedulesText({ spec }: CronWorkflow): string | undefined {
  const { schedules, schedule, timezone } = spec;
  const texts = Array.isArray(schedules) && schedules.length > 0 ? schedules : [schedule];
  const text = texts.filter((entry) => typeof entry === 'string').join(', ');
  if (text === '') return undefined;
  return typeof timezone === 'string' && timezone !== '' ? `${text} (${timezone})` : text;
}
