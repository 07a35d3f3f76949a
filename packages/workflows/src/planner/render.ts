import type { Arguments, Template } from '@arc/api/argo';
import { WorkflowError } from '../model/workflow-error.ts';
import { substituteTags, tagsIn } from '../templating/simple-tags.ts';
import type { Call, Planning } from './planning.ts';

const ownPrefix = /^(?:workflow|inputs|outputs|steps|tasks|item|pod|node|retries|lastRetry)(?:\.|$)/;

/**
 * The template with its tags replaced in Argo's two passes: first the names of the Workflow and of this call, then the
 * inputs, so that an inserted value which names an input is replaced too (1.4).
 */
export function renderTemplate(
  planning: Planning,
  template: Template,
  call: Call,
  inputs: Arguments | undefined,
  podName?: string,
): Template {
  const outer = new Map(planning.globals);
  outer.set('node.name', call.nodeName);
  if (podName !== undefined) outer.set('pod.name', podName);
  for (const [name, value] of call.locals) outer.set(name, value);
  const inner = new Map<string, string>();
  const parameters = inputs?.parameters ?? [];
  inner.set('inputs.parameters', JSON.stringify(parameters.map(({ name, value }) => ({ name, value }))));
  for (const { name, value } of parameters) inner.set(`inputs.parameters.${name}`, String(value ?? ''));
  const { inputs: declared, ...body } = template;
  const passed = substituteTags(substituteTags(body, outer), inner);
  const paths = new Map<string, string>();
  for (const { name, valueFrom } of passed.outputs?.parameters ?? []) {
    if (valueFrom?.path !== undefined) paths.set(`outputs.parameters.${name}.path`, valueFrom.path);
  }
  return { ...substituteTags(passed, paths), ...(declared !== undefined && { inputs: declared }) } as Template;
}

/**
 * Refuses names of Argo's own that nothing has given a value; foreign tags pass.
 *
 * @throws WorkflowError
 */
export function requireResolved(value: unknown): void {
  const left = tagsIn(value).find((tag) => ownPrefix.test(tag));
  if (left !== undefined) throw new WorkflowError('UnresolvedTag', `failed to resolve {{${left}}}`);
}
