import type { ArtifactWorkflow } from '@arc/api/arc';
import { dryRunParameter, referenceName } from '@arc/api/arc';
import type { RunContext } from './context.ts';
import { readTemplate } from './read-template.ts';

export function isDryRun(run: ArtifactWorkflow): boolean {
  return run.spec?.parameters?.some(({ name, value }) => name === dryRunParameter && value === 'true') === true;
}

/** Why a dry run must not be started: a template that does not know the parameter would transfer for real. */
export async function dryRunRefusal(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<string | undefined> {
  const name = referenceName(run.spec?.workflowTemplateRef) ?? '';
  const template = await readTemplate(context, run, signal);
  if (template === undefined) return `the template ${JSON.stringify(name)} does not exist, so it is not known whether it supports dry runs`;
  const declared = template.spec?.arguments?.parameters?.some((parameter) => parameter.name === dryRunParameter) === true;
  return declared ? undefined : `the template ${JSON.stringify(name)} declares no parameter ${dryRunParameter}, it would transfer for real`;
}
