import type { KindDefinition } from '@arc/apimachinery';
import { clusterWorkflowTemplateDefinition } from './cluster-workflow-template.ts';
import { cronWorkflowDefinition } from './cron-workflow.ts';
import { workflowTemplateDefinition } from './workflow-template.ts';
import { workflowDefinition } from './workflow.ts';

/** Every kind of `argoproj.io/v1alpha1` that is served. */
export const argoKinds: readonly KindDefinition[] = [
  workflowDefinition,
  cronWorkflowDefinition,
  workflowTemplateDefinition,
  clusterWorkflowTemplateDefinition,
];
