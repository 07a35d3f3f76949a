import { s } from '@arc/apimachinery';
import type { KindDefinition, ResourceType } from '@arc/apimachinery';
import type { ClusterWorkflowTemplate } from './workflow-types.ts';
import { argoGroup, argoVersion } from './workflow.ts';

export const clusterWorkflowTemplates: ResourceType = {
  group: argoGroup,
  version: argoVersion,
  plural: 'clusterworkflowtemplates',
  kind: 'ClusterWorkflowTemplate',
  namespaced: false,
};

export const clusterWorkflowTemplateDefinition: KindDefinition<ClusterWorkflowTemplate> = {
  group: argoGroup,
  version: argoVersion,
  kind: 'ClusterWorkflowTemplate',
  names: {
    plural: 'clusterworkflowtemplates',
    singular: 'clusterworkflowtemplate',
    shortNames: ['clusterwftmpl', 'cwft'],
  },
  scope: 'Cluster',
  description: 'ClusterWorkflowTemplate is a set of templates every Workflow can refer to.',
  schema: s.object({
    spec: s.freeForm({ description: 'The same fields as the spec of a Workflow.' }),
  }),
};
