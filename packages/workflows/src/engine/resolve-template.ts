import type { Workflow, WorkflowSpec, WorkflowTemplate } from '@arc/api/argo';
import { argoGroup, clusterWorkflowTemplates, workflowTemplates } from '@arc/api/argo';
import { configMaps } from '@arc/api/core';
import type { ConfigMap } from '@arc/api/core';
import { isStatusReason } from '@arc/apimachinery';
import type { KubeClient } from '@arc/kube-client';
import { readIfThere } from '@arc/kube-client';
import { textOf } from '../model/any-string.ts';
import { mergeWorkflowSpec } from '../model/merge-spec.ts';
import { dropNulls, shapeFaults } from '../model/shape.ts';
import { workflowSpecShape } from '../model/workflow-shape.ts';
import { WorkflowError } from '../model/workflow-error.ts';

/**
 * The spec a Workflow starts with: its template's under its own, arguments from ConfigMaps settled. It is stored with the
 * Workflow, so that later changes of either do not matter to the run (1.2).
 *
 * @throws WorkflowError when something it refers to does not exist, or a field is not of the form it must have
 */
export async function resolveSpec(client: KubeClient, workflow: Workflow, signal: AbortSignal): Promise<WorkflowSpec> {
  requireShape(workflow.spec, 'spec');
  const reference = workflow.spec.workflowTemplateRef;
  if (reference !== undefined && (workflow.spec.templates?.length ?? 0) > 0) {
    throw new WorkflowError('InvalidWorkflow', 'spec.templates must be empty beside spec.workflowTemplateRef');
  }
  const own = dropNulls(workflow.spec);
  const spec = reference === undefined ? own : mergeWorkflowSpec(own, await templateSpec(client, workflow, signal));
  return settleArguments(client, workflow.metadata.namespace ?? '', spec, signal);
}

async function templateSpec(client: KubeClient, workflow: Workflow, signal: AbortSignal): Promise<WorkflowSpec> {
  const { name = '', clusterScope = false } = workflow.spec.workflowTemplateRef ?? {};
  const type = clusterScope ? clusterWorkflowTemplates : workflowTemplates;
  const { namespace } = workflow.metadata;
  try {
    const template = await client.get<WorkflowTemplate>(
      type,
      { name, ...(!clusterScope && namespace !== undefined && { namespace }) },
      { signal },
    );
    requireShape(template.spec, `${type.kind} ${name}: spec`);
    return dropNulls(template.spec);
  } catch (error) {
    if (!isStatusReason(error, 'NotFound')) throw error;
    throw new WorkflowError('TemplateNotFound', `${type.plural}.${argoGroup} ${JSON.stringify(name)} not found`, { cause: error });
  }
}

/** Specs are free-form for the server, so nothing may be taken for granted. */
function requireShape(spec: WorkflowSpec, field: string): void {
  const faults = shapeFaults(spec, workflowSpecShape, field);
  if (faults.length === 0) return;
  throw new WorkflowError('InvalidWorkflow', faults.map((fault) => `${fault.field} ${fault.reason}`).join('; '));
}

async function settleArguments(client: KubeClient, namespace: string, spec: WorkflowSpec, signal: AbortSignal): Promise<WorkflowSpec> {
  const parameters = spec.arguments?.parameters;
  if (parameters === undefined || !parameters.some((parameter) => parameter.valueFrom?.configMapKeyRef !== undefined)) return spec;
  const settled = await Promise.all(
    parameters.map(async (parameter) => {
      const reference = parameter.valueFrom?.configMapKeyRef;
      if (reference === undefined || parameter.value !== undefined) return parameter;
      const found = await configMapValue(client, { namespace, name: reference.name }, reference.key, signal);
      const value = found ?? textOf(parameter.valueFrom?.default) ?? textOf(parameter.default);
      if (value === undefined) {
        throw new WorkflowError(
          'MissingArgument',
          `spec.arguments.parameters[${parameter.name}]: configmap ${JSON.stringify(reference.name)} has no key ${JSON.stringify(reference.key)}`,
        );
      }
      const { valueFrom: _source, ...rest } = parameter;
      return { ...rest, value };
    }),
  );
  return { ...spec, arguments: { ...spec.arguments, parameters: settled } };
}

async function configMapValue(
  client: KubeClient,
  ref: { readonly namespace: string; readonly name: string },
  key: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  return (await readIfThere<ConfigMap>(client, configMaps, ref, signal))?.data?.[key];
}
