import { s } from '@arc/apimachinery';
import type { KindDefinition, ResourceType } from '@arc/apimachinery';
import type { WorkflowTemplate } from './workflow-types.ts';
import { argoGroup, argoVersion } from './workflow.ts';

export const workflowTemplates: ResourceType = {
  group: argoGroup,
  version: argoVersion,
  plural: 'workflowtemplates',
  kind: 'WorkflowTemplate',
  namespaced: true,
};

export const workflowTemplateDefinition: KindDefinition<WorkflowTemplate> = {
  group: argoGroup,
  version: argoVersion,
  kind: 'WorkflowTemplate',
  names: { plural: 'workflowtemplates', singular: 'workflowtemplate', shortNames: ['wftmpl'] },
  scope: 'Namespaced',
  description: 'WorkflowTemplate is a set of templates the Workflows of its namespace can refer to.',
  schema: s.object({
    spec: s.freeForm({ description: 'The same fields as the spec of a Workflow.' }),
  }),
};
