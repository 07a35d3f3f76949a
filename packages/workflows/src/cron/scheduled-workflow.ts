import type { CronWorkflow, Workflow } from '@arc/api/argo';
import { apiVersionOf } from '@arc/apimachinery';
import { cronWorkflowLabel, cronWorkflows, instanceIdLabel, scheduledTimeAnnotation, workflows } from '@arc/api/argo';
import { timestamp } from '../planner/time.ts';

const inheritedLabels = [
  instanceIdLabel,
  'workflows.argoproj.io/creator',
  'workflows.argoproj.io/creator-email',
  'workflows.argoproj.io/creator-preferred-username',
];

/** The name of the run of a scheduled time, as in Argo. It is what makes a second run of the same time impossible. */
export function runName(cronName: string, time: number): string {
  return `${cronName}-${Math.floor(time / 1000)}`;
}

/** The Workflow that is the run of a scheduled time. */
export function scheduledWorkflow(cron: CronWorkflow, time: number): Workflow {
  const { name = '', namespace, uid = '', labels = {} } = cron.metadata;
  const { workflowMetadata, workflowSpec } = cron.spec;
  const inherited = inheritedLabels.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]] as const]));
  const { finalizers } = workflowMetadata ?? {};
  return {
    apiVersion: apiVersionOf(workflows),
    kind: workflows.kind,
    metadata: {
      name: runName(name, time),
      ...(namespace !== undefined && { namespace }),
      labels: { ...Object.fromEntries(inherited), ...workflowMetadata?.labels, [cronWorkflowLabel]: name },
      annotations: { ...workflowMetadata?.annotations, [scheduledTimeAnnotation]: timestamp(time) },
      ...(finalizers !== undefined && finalizers.length > 0 && { finalizers: [...finalizers] }),
      ownerReferences: [
        { apiVersion: apiVersionOf(cronWorkflows), kind: cronWorkflows.kind, name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: structuredClone(workflowSpec),
  };
}

/** The scheduled time of a run that was made by the schedule, milliseconds since the epoch; undefined for others. */
export function scheduledTimeOf(cronName: string, workflow: Workflow): number | undefined {
  const time = Date.parse(workflow.metadata.annotations?.[scheduledTimeAnnotation] ?? '');
  return !Number.isNaN(time) && workflow.metadata.name === runName(cronName, time) ? time : undefined;
}
