import { s } from '@arc/apimachinery';
import type { KindDefinition, ResourceType } from '@arc/apimachinery';
import type { Workflow } from './workflow-types.ts';

export const argoGroup = 'argoproj.io';
export const argoVersion = 'v1alpha1';

export const workflows: ResourceType = {
  group: argoGroup,
  version: argoVersion,
  plural: 'workflows',
  kind: 'Workflow',
  namespaced: true,
};

/** As in Argo, the status is written with the object itself: there is no status subresource. */
export const workflowDefinition: KindDefinition<Workflow> = {
  group: argoGroup,
  version: argoVersion,
  kind: 'Workflow',
  names: { plural: 'workflows', singular: 'workflow', shortNames: ['wf'] },
  scope: 'Namespaced',
  description: 'Workflow is one run of a set of templates.',
  schema: s.object({
    spec: s.freeForm({ description: 'What to run: templates, or a reference to a template, and its arguments.' }),
    status: s.optional(s.freeForm({ description: 'How far the run has come: its phase and one entry a node.' })),
  }),
  columns: [
    {
      name: 'Status',
      type: 'string',
      description: 'Status of the workflow',
      value: (workflow) => workflow.status?.phase,
    },
    {
      name: 'Age',
      type: 'date',
      description: 'When the workflow was started',
      value: (workflow) => workflow.status?.startedAt,
    },
    {
      name: 'Message',
      type: 'string',
      description: 'Human readable message indicating details about why the workflow is in this condition.',
      value: (workflow) => workflow.status?.message,
    },
  ],
  selectableFields: ['status.phase'],
};
