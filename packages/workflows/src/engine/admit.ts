import type { WorkflowSpec } from '@arc/api/argo';
import { checkWorkflow } from '../capabilities/check-workflow.ts';
import { describeIgnored, describeRefusal } from '../capabilities/describe.ts';
import { reachableTemplates } from '../capabilities/reachable.ts';
import type { Runner } from '../runner/runner.ts';
import { tagsIn } from '../templating/simple-tags.ts';

/** Whether a Workflow may run here. */
export type Admission =
  | { readonly refused: string }
  /** `warning` lists the fields that have no effect. */
  | { readonly refused: undefined; readonly warning: string | undefined };

const maxNameLength = 63;

/** Looks at everything that can be known before the first step, and reports all of it at once. */
export async function admit(name: string, spec: WorkflowSpec, runner: Runner): Promise<Admission> {
  if (name.length > maxNameLength)
    return { refused: `the name of the Workflow has ${name.length} characters; at most ${maxNameLength} are allowed` };
  const report = checkWorkflow(spec);
  const refused = [...report.refused, ...undefinedParameters(spec)];
  if (refused.length > 0) return { refused: describeRefusal(refused) };
  const missing = await missingPrograms(spec, runner);
  if (missing.length > 0) {
    return { refused: `This host lacks what ${missing.length === 1 ? 'a step needs' : 'steps need'}: ${missing.join('; ')}` };
  }
  return { refused: undefined, warning: report.ignored.length === 0 ? undefined : describeIgnored(report.ignored) };
}

/** References to arguments nobody gives, which would fail only when their step begins. */
function undefinedParameters(
  spec: WorkflowSpec,
): readonly { readonly template: string; readonly field: string; readonly reason: string }[] {
  const known = new Set((spec.arguments?.parameters ?? []).map((parameter) => `workflow.parameters.${parameter.name}`));
  known.add('workflow.parameters.json');
  return reachableTemplates(spec).templates.flatMap((template) => {
    const unknown = tagsIn(template).filter((tag) => tag.startsWith('workflow.parameters.') && !known.has(tag));
    return [...new Set(unknown)].map((tag) => ({
      template: template.name,
      field: `{{${tag}}}`,
      reason: 'the Workflow has no such argument',
    }));
  });
}

async function missingPrograms(spec: WorkflowSpec, runner: Runner): Promise<readonly string[]> {
  const missing = new Map<string, string[]>();
  for (const template of reachableTemplates(spec).templates) {
    const container = template.script ?? template.container;
    if (container === undefined) continue;
    const { image, command = [] } = container;
    if (tagsIn([image, command]).length > 0) continue;
    const message = await runner.missing({ image, command });
    if (message !== undefined) missing.set(message, [...(missing.get(message) ?? []), template.name]);
  }
  return [...missing].map(([message, templates]) => `${message} (template ${templates.map((name) => JSON.stringify(name)).join(', ')})`);
}
