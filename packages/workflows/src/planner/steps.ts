import type { Arguments, ContinueOn, NodeStatus, Parameter, Template, WorkflowStep } from '@arc/api/argo';
import { messageOf } from '@arc/kernel';
import { textOf } from '../model/any-string.ts';
import { WorkflowError } from '../model/workflow-error.ts';
import { substituteTags, tagsIn } from '../templating/simple-tags.ts';
import { evaluateWhen } from '../templating/when/when.ts';
import { addChild, addNode, deadlineMessage, endNode, findNode, isFulfilled, isSuccessful, nodeById, outboundNodes } from './planning.ts';
import type { Call, Planning, RunTemplate } from './planning.ts';
import { publishNode, publishOutputs } from './step-scope.ts';

/** Plans a `steps` template: groups one after the other, the steps of a group side by side (1.6). */
export function runSteps(
  planning: Planning,
  call: Call,
  template: Template,
  inputs: Arguments | undefined,
  existing: NodeStatus | undefined,
  runTemplate: RunTemplate,
): NodeStatus {
  const node =
    existing ??
    addNode(planning, call.nodeName, 'Steps', {
      templateName: call.templateName,
      boundary: call.boundary,
      phase: 'Running',
      inputs,
      retried: call.retried,
    });
  const scope = new Map<string, string>();
  let previous: NodeStatus | undefined;
  for (const [index, steps] of (template.steps ?? []).entries()) {
    const name = `${call.nodeName}[${index}]`;
    let group = findNode(planning, name);
    if (group === undefined) {
      const refusal = mayNotBegin(planning, call);
      if (refusal !== undefined) return finish(planning, node, previous, 'Failed', refusal);
      group = addNode(planning, name, 'StepGroup', { boundary: node, phase: 'Running' });
      link(planning, node, previous, group);
    }
    if (!isFulfilled(group.phase)) runGroup(planning, { call, node, group, steps, scope, template, runTemplate });
    if (!isFulfilled(group.phase)) return node;
    if (!isSuccessful(group.phase)) return finish(planning, node, group, 'Failed', group.message);
    for (const step of steps) publishNode(planning, scope, step, findNode(planning, `${name}.${step.name}`));
    previous = group;
  }
  try {
    const parameters = templateOutputs(template, scope);
    if (parameters.length > 0) node.outputs = { parameters };
  } catch (error) {
    return finish(planning, node, previous, 'Error', messageOf(error));
  }
  publishOutputs(planning, node);
  return finish(planning, node, previous, 'Succeeded');
}

interface Group {
  readonly call: Call;
  readonly node: NodeStatus;
  readonly group: NodeStatus;
  readonly steps: readonly WorkflowStep[];
  readonly scope: ReadonlyMap<string, string>;
  readonly template: Template;
  readonly runTemplate: RunTemplate;
}

interface ResolvedStep {
  readonly step: WorkflowStep;
  readonly nodeName: string;
  readonly template: string;
  readonly args: Arguments;
}

/** Nothing of a group starts before every condition and argument in it has been found sound. */
function runGroup(planning: Planning, context: Group): void {
  const { group, node, call, scope, runTemplate } = context;
  const ready: ResolvedStep[] = [];
  for (const step of context.steps) {
    const nodeName = `${group.name}.${step.name}`;
    const known = findNode(planning, nodeName);
    if (known !== undefined && isFulfilled(known.phase)) continue;
    try {
      const when = step.when === undefined ? undefined : substituteTags(step.when, scope);
      if (known === undefined && !evaluateWhen(when)) {
        addChild(
          group,
          addNode(planning, nodeName, 'Skipped', {
            ...(step.template !== undefined && { templateName: step.template }),
            boundary: node,
            phase: 'Skipped',
            message: `when '${when}' evaluated false`,
          }),
        );
        continue;
      }
      ready.push({ step, nodeName, template: step.template ?? '', args: resolveArguments(step, scope) });
    } catch (error) {
      const failed = known ?? addNode(planning, nodeName, 'Skipped', { boundary: node, phase: 'Error', message: messageOf(error) });
      addChild(group, failed);
      endNode(planning, group, 'Error', messageOf(error));
      return;
    }
  }
  for (const { step, nodeName, template, args } of ready) {
    const child = runTemplate(planning, {
      nodeName,
      templateName: template,
      args,
      boundary: node,
      deadline: call.deadline,
      depth: call.depth + 1,
      captureResult: refersToResult(context.template, step.name),
      locals: new Map([['steps.name', step.name]]),
    });
    addChild(group, child);
  }
  settleGroup(planning, context);
}

function settleGroup(planning: Planning, { group, steps }: Group): void {
  const children = (group.children ?? []).map((id) => nodeById(planning, id)).filter((child) => child !== undefined);
  if (children.some((child) => !isFulfilled(child.phase))) return;
  for (const child of children) {
    if (child.phase !== 'Failed' && child.phase !== 'Error') continue;
    const step = steps.find((candidate) => `${group.name}.${candidate.name}` === child.name);
    if (continues(step?.continueOn, child.phase)) continue;
    if (child.type === 'Skipped') {
      endNode(planning, group, 'Error', `step group deemed errored due to child ${child.name} error: ${child.message ?? ''}`);
    } else {
      endNode(planning, group, 'Failed', `child '${child.id}' failed`);
    }
    return;
  }
  endNode(planning, group, 'Succeeded');
}

function continues(continueOn: ContinueOn | undefined, phase: 'Failed' | 'Error'): boolean {
  return phase === 'Failed' ? continueOn?.failed === true : continueOn?.error === true;
}

function mayNotBegin(planning: Planning, call: Call): string | undefined {
  if (planning.shutdown !== undefined) return `Stopped with strategy '${planning.shutdown}'`;
  if (call.deadline !== undefined && planning.now >= call.deadline) return deadlineMessage;
  return undefined;
}

/** Draws the edge to a group: from the boundary, or from where each child of the group before ends. */
function link(planning: Planning, node: NodeStatus, previous: NodeStatus | undefined, group: NodeStatus): void {
  if (previous === undefined) {
    addChild(node, group);
    return;
  }
  const children = previous.children ?? [];
  if (children.length === 0) addChild(previous, group);
  for (const id of children) {
    const child = nodeById(planning, id);
    if (child === undefined) continue;
    for (const end of outboundNodes(planning, child)) {
      const parent = nodeById(planning, end);
      if (parent !== undefined) addChild(parent, group);
    }
  }
}

function finish(
  planning: Planning,
  node: NodeStatus,
  last: NodeStatus | undefined,
  phase: 'Succeeded' | 'Failed' | 'Error',
  message?: string,
): NodeStatus {
  const ends = (last?.children ?? []).flatMap((id) => {
    const child = nodeById(planning, id);
    return child === undefined ? [] : [...outboundNodes(planning, child)];
  });
  const outbound = ends.length > 0 ? ends : last === undefined ? [] : [last.id];
  if (outbound.length > 0) node.outboundNodes = outbound;
  return endNode(planning, node, phase, message);
}

/**
 * The arguments of a step. One that consists only of a reference to an output which is absent, because its producer was
 * skipped, is left out, so that the input's default applies (1.3).
 *
 * @throws WorkflowError for any other reference that leads nowhere
 */
function resolveArguments(step: WorkflowStep, scope: ReadonlyMap<string, string>): Arguments {
  const parameters: Parameter[] = [];
  for (const parameter of step.arguments?.parameters ?? []) {
    const value = substituteTags(textOf(parameter.value), scope);
    const left = value === undefined ? undefined : tagsIn(value).find((tag) => /^(?:steps|tasks|inputs|item)(?:\.|$)/.test(tag));
    if (left === undefined) {
      parameters.push({ name: parameter.name, ...(value !== undefined && { value }) });
    } else if (!left.startsWith('steps.') || value?.replaceAll(/\s/g, '') !== `{{${left}}}`) {
      throw new WorkflowError('UnresolvedTag', `failed to resolve {{${left}}}`);
    }
  }
  return { parameters };
}

function refersToResult(template: Template, stepName: string): boolean {
  return tagsIn(template).includes(`steps.${stepName}.outputs.result`);
}

function templateOutputs(template: Template, scope: ReadonlyMap<string, string>): Parameter[] {
  return (template.outputs?.parameters ?? []).map((parameter) => {
    const reference = parameter.valueFrom?.parameter;
    const resolved = reference === undefined ? undefined : substituteTags(reference, scope);
    const value = resolved === undefined || tagsIn(resolved).length > 0 ? undefined : resolved;
    const settled = value ?? textOf(parameter.valueFrom?.default) ?? textOf(parameter.value) ?? textOf(parameter.default);
    if (settled === undefined)
      throw new WorkflowError('UnresolvedTag', `output parameter ${JSON.stringify(parameter.name)}: failed to resolve ${reference ?? ''}`);
    const { valueFrom: _reference, ...rest } = parameter;
    return { ...rest, value: settled };
  });
}
