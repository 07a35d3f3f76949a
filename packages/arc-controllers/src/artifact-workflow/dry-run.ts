import { clusterWorkflowTemplates, workflowTemplates } from '@arc/api/argo';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { dryRunParameter, referenceName } from '@arc/api/arc';
import type { KubeObject } from '@arc/apimachinery';
import { readIfThere } from '@arc/kube-client';
import type { RunContext } from './context.ts';

type Template = KubeObject & {
  readonly spec?: { readonly arguments?: { readonly parameters?: readonly { readonly name: string }[] | null } };
};

export function isDryRun(run: ArtifactWorkflow): boolean {
  return run.spec?.parameters?.some(({ name, value }) => name === dryRunParameter && value === 'true') === true;
}

/** Why a dry run must not be started: a template that does not know the parameter would transfer for real. */
export async function dryRunRefusal(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<string | undefined> {
  const reference = run.spec?.workflowTemplateRef;
  const name = referenceName(reference) ?? '';
  const template = await readTemplate(context, { name, namespace: run.metadata.namespace ?? '' }, reference?.clusterScope === true, signal);
  if (template === undefined) return `the template ${JSON.stringify(name)} does not exist, so it is not known whether it supports dry runs`;
  const declared = template.spec?.arguments?.parameters?.some((parameter) => parameter.name === dryRunParameter) === true;
  return declared ? undefined : `the template ${JSON.stringify(name)} declares no parameter ${dryRunParameter}, it would transfer for real`;
}

async function readTemplate(
  { client }: RunContext,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  clusterScope: boolean,
  signal: AbortSignal,
): Promise<Template | undefined> {
  return clusterScope
    ? await readIfThere<Template>(client, clusterWorkflowTemplates, { name }, signal)
    : await readIfThere<Template>(client, workflowTemplates, { namespace, name }, signal);
}
