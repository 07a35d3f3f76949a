import { clusterWorkflowTemplates, workflowTemplates } from '@arc/api/argo';
import type { ClusterWorkflowTemplate, WorkflowTemplate } from '@arc/api/argo';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { referenceName } from '@arc/api/arc';
import { readIfThere } from '@arc/kube-client';
import type { RunContext } from './context.ts';

/** The template of a run as the server has it now; undefined when there is none. */
export async function readTemplate(
  { client }: Pick<RunContext, 'client'>,
  { metadata, spec }: ArtifactWorkflow,
  signal: AbortSignal,
): Promise<ClusterWorkflowTemplate | WorkflowTemplate | undefined> {
  const name = referenceName(spec?.workflowTemplateRef) ?? '';
  return spec?.workflowTemplateRef?.clusterScope === true
    ? await readIfThere<ClusterWorkflowTemplate>(client, clusterWorkflowTemplates, { name }, signal)
    : await readIfThere<WorkflowTemplate>(client, workflowTemplates, { namespace: metadata.namespace ?? '', name }, signal);
}
