import type { Arguments, NodeStatus, Template } from '@arc/api/argo';
import { messageOf } from '@arc/kernel';
import { resolveInputs } from '../model/arguments.ts';
import { argoDuration } from '../model/go-duration.ts';
import { WorkflowError } from '../model/workflow-error.ts';
import { addNode, earliest, endNode, findNode, isFulfilled } from './planning.ts';
import type { Call, Planning } from './planning.ts';
import { runPod } from './pod.ts';
import { renderTemplate, requireResolved } from './render.ts';
import { runRetried } from './retry.ts';
import { publishOutputs } from './step-scope.ts';
import { runSteps } from './steps.ts';
import { runSuspend } from './suspend.ts';
import { deadlineAfter } from './time.ts';

const maxDepth = 100;

/**
 * Brings the node of one call as far as it can go now. Faults of the template become a node of phase Error; only the
 * node says what happened.
 */
export function runTemplate(planning: Planning, call: Call): NodeStatus {
  const existing = findNode(planning, call.nodeName);
  if (existing !== undefined && isFulfilled(existing.phase)) {
    publishOutputs(planning, existing);
    return existing;
  }
  try {
    if (call.depth > maxDepth) throw new WorkflowError('TooDeep', 'Maximum recursion depth exceeded');
    const template = templateOf(planning, call);
    const inputs = existing?.inputs ?? inputsOf(template, call);
    const strategy = template.retryStrategy ?? planning.spec.retryStrategy;
    const withDeadline = { ...call, deadline: deadlineOf(planning, call, template, inputs, existing) };
    if (strategy === undefined || call.retried === true) return runBody(planning, withDeadline, template, inputs, existing);
    const rendered = renderTemplate(planning, { name: template.name, retryStrategy: strategy }, call, inputs).retryStrategy ?? strategy;
    return runRetried(planning, withDeadline, rendered, inputs, existing, runTemplate);
  } catch (error) {
    return failed(planning, call, findNode(planning, call.nodeName), error);
  }
}

function runBody(
  planning: Planning,
  call: Call,
  template: Template,
  inputs: Arguments | undefined,
  existing: NodeStatus | undefined,
): NodeStatus {
  if (template.steps !== undefined) {
    const rendered = renderTemplate(planning, template, call, inputs);
    return runSteps(planning, call, rendered, inputs, existing, runTemplate);
  }
  if (template.suspend !== undefined) {
    return runSuspend(planning, call, renderTemplate(planning, template, call, inputs), existing);
  }
  const node = runPod(planning, call, template, inputs, existing);
  if (isFulfilled(node.phase)) publishOutputs(planning, node);
  return node;
}

function templateOf(planning: Planning, call: Call): Template {
  const template = planning.spec.templates?.find((candidate) => candidate.name === call.templateName);
  if (template === undefined) throw new WorkflowError('TemplateNotFound', `template ${JSON.stringify(call.templateName)} is not defined`);
  return template;
}

function inputsOf(template: Template, call: Call): Arguments | undefined {
  if (template.inputs?.parameters === undefined) return undefined;
  const parameters = resolveInputs(template.inputs, call.args).map(({ name, value }) => ({ name, value }));
  requireResolved(parameters.map(({ value }) => value));
  return { parameters };
}

function deadlineOf(
  planning: Planning,
  call: Call,
  template: Template,
  inputs: Arguments | undefined,
  existing: NodeStatus | undefined,
): number | undefined {
  if (template.timeout === undefined || template.timeout === '' || call.retried === true) return call.deadline;
  const timeout = renderTemplate(planning, { name: template.name, timeout: template.timeout }, call, inputs).timeout ?? template.timeout;
  const end = deadlineAfter(existing?.startedAt, argoDuration(timeout, `template ${template.name} timeout`), planning.now);
  return earliest(call.deadline, end);
}

function failed(planning: Planning, call: Call, existing: NodeStatus | undefined, error: unknown): NodeStatus {
  const message = messageOf(error);
  if (existing !== undefined) return endNode(planning, existing, 'Error', message);
  return addNode(planning, call.nodeName, 'Skipped', {
    templateName: call.templateName,
    boundary: call.boundary,
    phase: 'Error',
    message,
    retried: call.retried,
  });
}
