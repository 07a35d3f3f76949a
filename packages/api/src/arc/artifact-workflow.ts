import { s } from '@arc/apimachinery';
import type { FieldError, KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { cron, defaultMinimumCronInterval, validateCron } from './cron.ts';
import type { CronLimits } from './cron.ts';
import {
  unsetNulls,
  firstLine,
  immutableSpec,
  newErrors,
  referenceName,
  validateDuration,
  validateUniqueParameters,
} from './field-rules.ts';
import { arcCategory, arcGroup, arcVersion, resourceOf } from './group.ts';
import { localReference, optional, parameter, timeToLive, workflowTemplateReference } from './shared-schemas.ts';
import { scheduleColumns } from './schedule-columns.ts';

const artifactWorkflowSpec = s.object(
  {
    workflowTemplateRef: optional(workflowTemplateReference),
    parameters: optional(s.array(parameter, { description: 'Arguments of the workflow, with unique names.' })),
    srcSecretRef: optional({ ...localReference, description: 'The Secret mounted as the credentials of the source.' }),
    dstSecretRef: optional({ ...localReference, description: 'The Secret mounted as the credentials of the destination.' }),
    type: optional(s.string({ description: 'The artifact type this was made from.' })),
    srcRef: optional({ ...localReference, description: 'The source Endpoint this was made from.' }),
    dstRef: optional({ ...localReference, description: 'The destination Endpoint this was made from.' }),
    renderConfig: optional(s.boolean({ description: 'True: the run gets its configuration as a Secret of its own.' })),
    cron: optional(cron),
    ...timeToLive,
  },
  { description: 'What to run. Immutable.' },
);
export type ArtifactWorkflowSpec = Static<typeof artifactWorkflowSpec>;

const step = s.object({
  name: s.string({ description: 'Display name of the step.' }),
  phase: s.string({ description: 'Pending, Running, Succeeded, Skipped, Failed, Error or Omitted.' }),
  message: optional(s.string({ description: 'What the workflow engine says about it.' })),
  startTime: optional(s.time()),
  completionTime: optional(s.time()),
});
export type ArtifactWorkflowStep = Static<typeof step>;

const artifactWorkflowStatus = s.object(
  {
    phase: optional(s.string({ description: 'Pending, Running, Succeeded, Failed, Error, Active or Stopped.' })),
    reason: optional(s.string({ description: 'One word: why it is in this phase.' })),
    message: optional(s.string({ description: 'A sentence for people; for failures the steps that failed.' })),
    logTail: optional(s.string({ description: 'Last lines of the log of the step that failed first.' })),
    queuePosition: optional(
      s.integer({ description: 'About where it stands in line while it waits for its turn; near the front kept current.' }),
    ),
    progress: optional(s.string({ description: 'Done and total as the workflow reports them, N/M.' })),
    progressUnit: optional(s.string({ description: 'What progress counts: Bytes once a step reports some, else Steps.' })),
    startTime: optional(s.time({ description: 'When the workflow started.' })),
    completionTime: optional(s.time({ description: 'When the workflow ended.' })),
    failureTime: optional(s.time({ description: 'When the workflow failed.' })),
    activeWorkflowRef: optional({ ...localReference, description: 'The Workflow that runs, or ran last.' }),
    steps: optional(s.array(step, { description: 'The steps, in the order they started.' })),
    receipt: optional(s.string({ description: 'The receipt of the transfer, as the workflow delivered it.' })),
    lastScheduled: optional(s.time({ description: 'When the last scheduled run was due.' })),
    nextScheduled: optional(s.time({ description: 'When the next scheduled run is due.' })),
    lastWorkflowRef: optional({ ...localReference, description: 'Of a scheduled run: the Workflow that ended last.' }),
    succeeded: optional(s.integer({ description: 'Runs that succeeded.' })),
    failed: optional(s.integer({ description: 'Runs that failed.' })),
    lastReconcileAt: optional(s.time()),
    lastForceAt: optional(s.time({ description: 'The force-at value that was carried out last.' })),
    lastRetry: optional(s.string({ description: 'The retry annotation that was carried out last.' })),
  },
  { description: 'What is the case.' },
);
export type ArtifactWorkflowStatus = Static<typeof artifactWorkflowStatus>;

/** One transfer of one artifact to one destination, ready to run. */
export interface ArtifactWorkflow extends KubeObject {
  spec?: ArtifactWorkflowSpec;
  status?: ArtifactWorkflowStatus;
}

function errorsOf(workflow: ArtifactWorkflow, minimumCronInterval: number): FieldError[] {
  const spec = workflow.spec ?? {};
  return [
    ...validateUniqueParameters(spec.parameters ?? [], 'spec.parameters'),
    ...validateDuration(spec.ttlAfterFinished, 'spec.ttlAfterFinished'),
    ...validateDuration(spec.ttlAfterFailed, 'spec.ttlAfterFailed'),
    ...(spec.cron === undefined ? [] : validateCron(spec.cron, 'spec.cron', minimumCronInterval)),
  ];
}

function warningsOf({ spec = {} }: ArtifactWorkflow): string[] {
  if (referenceName(spec.workflowTemplateRef) !== undefined || (spec.type ?? '') !== '') return [];
  return ['spec names neither a workflowTemplateRef nor a type: there is nothing to run'];
}

/** The kind as a server with these limits has it. */
export function artifactWorkflowKind({
  minimumCronInterval = defaultMinimumCronInterval,
}: CronLimits = {}): KindDefinition<ArtifactWorkflow> {
  const rules = (workflow: ArtifactWorkflow): FieldError[] => errorsOf(workflow, minimumCronInterval);
  return {
    group: arcGroup,
    version: arcVersion,
    kind: 'ArtifactWorkflow',
    names: { plural: 'artifactworkflows', singular: 'artifactworkflow', shortNames: ['aw'], categories: [arcCategory] },
    scope: 'Namespaced',
    description: 'ArtifactWorkflow is one transfer of one artifact to one destination. Orders make them.',
    schema: s.object({ spec: optional(artifactWorkflowSpec), status: optional(artifactWorkflowStatus) }),
    subresources: { status: true },
    selectableFields: ['status.phase', 'spec.type', 'spec.workflowTemplateRef.name', 'spec.srcRef.name', 'spec.dstRef.name'],
    strategy: {
      prepareForCreate: (workflow) => unsetNulls(workflow.spec),
      prepareForUpdate: (workflow) => unsetNulls(workflow.spec),
      validate: (workflow, old) => newErrors(rules, workflow, old),
      validateUpdate: immutableSpec,
      warnings: warningsOf,
    },
    columns: [
      { name: 'Type', type: 'string', description: 'The artifact type.', priority: 1, value: ({ spec }) => spec?.type },
      { name: 'Phase', type: 'string', description: 'State of the run.', value: ({ status }) => status?.phase ?? 'Unknown' },
      ...scheduleColumns,
      { name: 'Progress', type: 'string', description: 'Done and total.', value: ({ status }) => status?.progress },
      {
        name: 'Message',
        type: 'string',
        description: 'First line of the status message.',
        value: ({ status }) => firstLine(status?.message),
      },
      { name: 'Age', type: 'date', description: 'Time since creation.', value: ({ metadata }) => metadata.creationTimestamp ?? undefined },
    ],
  };
}

export const artifactWorkflowDefinition = artifactWorkflowKind();

export const artifactWorkflows: ResourceType = resourceOf(artifactWorkflowDefinition);
