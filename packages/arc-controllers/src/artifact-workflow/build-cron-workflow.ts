import type { CronWorkflow, CronWorkflowSpec, Workflow } from '@arc/api/argo';
import { cronWorkflowLabel, cronWorkflows, scheduledTimeAnnotation, workflows } from '@arc/api/argo';
import type { ArtifactWorkflow, Cron } from '@arc/api/arc';
import { heldAnnotation } from '@arc/api/arc';
import { apiVersionOf } from '@arc/apimachinery';
import { cronWorkflowName } from '../identity/names.ts';
import { timestamp } from '../metadata/conditions.ts';
import { controllerReference } from '../metadata/owner.ts';
import { buildWorkflow } from './build-workflow.ts';
import type { HandOver } from './hand-over.ts';

/** How many runs of each outcome stay: their result is in the status of the ArtifactWorkflow (as upstream). */
const keptRuns = 1;

/** The schedule of a run; undefined for one that runs once. */
export function scheduleOfRun({ spec }: Pick<ArtifactWorkflow, 'spec'>): Cron | undefined {
  return spec?.cron?.disabled === true ? undefined : spec?.cron;
}

/**
 * The CronWorkflow that runs an ArtifactWorkflow again and again: the same Workflow each time, with the same labels. Each begins
 * suspended and is let go when it is its turn.
 */
export function buildCronWorkflow(
  run: ArtifactWorkflow,
  cron: Cron,
  { suspended, handOver }: { readonly suspended: boolean; readonly handOver: HandOver },
): CronWorkflow {
  const { metadata, spec } = buildWorkflow(run, handOver);
  const { labels, annotations, ...identity } = metadata;
  return {
    apiVersion: apiVersionOf(cronWorkflows),
    kind: cronWorkflows.kind,
    metadata: { ...identity, name: cronWorkflowName(run.metadata.name ?? ''), ...(labels !== undefined && { labels }) },
    spec: {
      ...timesOf(cron),
      suspend: suspended,
      successfulJobsHistoryLimit: keptRuns,
      failedJobsHistoryLimit: keptRuns,
      workflowMetadata: { ...(labels !== undefined && { labels }), annotations: { ...annotations, [heldAnnotation]: 'true' } },
      workflowSpec: { ...spec, suspend: true },
    },
  };
}

/** A run of a CronWorkflow out of turn, as `argo submit --from` makes it. */
export function buildExtraRun(cron: CronWorkflow, { suffix, time }: { readonly suffix: string; readonly time: number }): Workflow {
  const { name = '', namespace = '' } = cron.metadata;
  const { labels, annotations } = cron.spec.workflowMetadata ?? {};
  return {
    apiVersion: apiVersionOf(workflows),
    kind: workflows.kind,
    metadata: {
      name: `${name}-${suffix}`,
      namespace,
      labels: { ...labels, [cronWorkflowLabel]: name },
      annotations: { ...annotations, [scheduledTimeAnnotation]: timestamp(time) },
      ownerReferences: [controllerReference(cron)],
    },
    spec: cron.spec.workflowSpec,
  };
}

function timesOf(cron: Cron): Partial<CronWorkflowSpec> {
  const { schedules = [], timezone = '', concurrencyPolicy = '', startingDeadlineSeconds, when = '' } = cron;
  // Argo refuses a schedule that names a zone beside `timezone`.
  const zoned = timezone !== '' && schedules.some((schedule) => hasZone(schedule));
  return {
    schedules: zoned ? schedules.map((schedule) => (hasZone(schedule) ? schedule : `CRON_TZ=${timezone} ${schedule}`)) : [...schedules],
    ...(timezone !== '' && !zoned && { timezone }),
    ...(concurrencyPolicy !== '' && { concurrencyPolicy: concurrencyPolicy as 'Allow' | 'Forbid' | 'Replace' }),
    ...(startingDeadlineSeconds !== undefined && { startingDeadlineSeconds }),
    ...(when !== '' && { when }),
  };
}

function hasZone(schedule: string): boolean {
  return /^(?:CRON_TZ|TZ)=/.test(schedule);
}
