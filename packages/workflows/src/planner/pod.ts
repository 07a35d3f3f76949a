import type { Arguments, NodeOutputs, NodeStatus, Parameter, Template } from '@arc/api/argo';
import { messageOf } from '@arc/kernel';
import { textOf } from '../model/any-string.ts';
import { podNameOf } from '../model/node-names.ts';
import { WorkflowError } from '../model/workflow-error.ts';
import type { AttemptResult } from '../runner/runner.ts';
import { substituteTags } from '../templating/simple-tags.ts';
import { addNode, deadlineMessage, endNode, isFulfilled, wakeAt } from './planning.ts';
import type { Call, Planning, PodPlan } from './planning.ts';
import { renderTemplate, requireResolved } from './render.ts';
import { deadlineAfter, timestamp } from './time.ts';

/** How often an attempt that vanished is run again before its node becomes an Error. */
const maxRuns = 5;

/** Plans a `container` or `script`: one attempt, started once, ended by its outcome or by a deadline. */
export function runPod(
  planning: Planning,
  call: Call,
  template: Template,
  inputs: Arguments | undefined,
  existing: NodeStatus | undefined,
): NodeStatus {
  const node =
    existing ??
    addNode(planning, call.nodeName, 'Pod', {
      templateName: call.templateName,
      boundary: call.boundary,
      phase: 'Pending',
      inputs,
      retried: call.retried,
    });
  let pod: PodPlan;
  try {
    pod = podPlan(planning, call, template, inputs, node);
  } catch (error) {
    if (node.phase === 'Pending') return endNode(planning, node, 'Error', messageOf(error));
    throw error;
  }
  applyObservation(planning, node, pod);
  if (isFulfilled(node.phase)) return node;
  const ending = endingOf(planning, node, call, pod.template);
  if (node.phase === 'Running') {
    if (ending !== undefined) planning.actions.push({ type: 'stop', nodeId: node.id, reason: { phase: 'Failed', message: ending } });
    return node;
  }
  if (ending !== undefined) return endNode(planning, node, 'Failed', ending);
  planning.actions.push({ type: 'start', pod });
  return node;
}

function podPlan(planning: Planning, call: Call, template: Template, inputs: Arguments | undefined, node: NodeStatus): PodPlan {
  const podName = podNameOf(planning.workflow.name, call.templateName, call.nodeName);
  const rendered = renderTemplate(planning, template, call, inputs, podName);
  const { inputs: _declared, steps: _steps, ...body } = rendered;
  requireResolved(body);
  const scope = new Map((inputs?.parameters ?? []).map(({ name, value }) => [`inputs.parameters.${name}`, String(value ?? '')]));
  const shared = substituteTags(substituteTags(planning.spec.volumes ?? [], planning.globals), scope);
  return {
    nodeId: node.id,
    nodeName: node.name,
    podName,
    template: rendered,
    volumes: [...shared, ...(rendered.volumes ?? [])],
    captureResult: call.captureResult,
  };
}

function applyObservation(planning: Planning, node: NodeStatus, pod: PodPlan): void {
  const observation = planning.observations.get(node.id);
  if (observation === undefined || isFulfilled(node.phase)) return;
  switch (observation.state) {
    case 'absent':
      if (node.phase === 'Running') makePending(node, 'nothing of the step is on this server; it runs again');
      return;
    case 'lost':
      if (observation.runs >= maxRuns) {
        endNode(planning, node, 'Error', `the step vanished ${observation.runs} times without leaving an exit code`);
      } else {
        makePending(node, 'the step vanished without leaving an exit code; it runs again');
      }
      return;
    case 'running':
      if (node.phase !== 'Running') startNode(node, observation.startedAt);
      if (observation.progress !== undefined) node.progress = observation.progress;
      return;
    case 'ended':
      applyResult(planning, node, pod, observation.result);
  }
}

/** Records that the attempt of a Pending node is being started. */
export function startNode(node: NodeStatus, startedAt: number): void {
  node.phase = 'Running';
  node.startedAt = timestamp(startedAt);
  node.progress ??= '0/1';
  delete node.message;
}

function makePending(node: NodeStatus, message: string): void {
  node.phase = 'Pending';
  node.message = message;
}

function applyResult(planning: Planning, node: NodeStatus, pod: PodPlan, result: AttemptResult): void {
  if (result.stopped?.phase === 'Pending') {
    makePending(node, result.stopped.message);
    return;
  }
  node.startedAt = timestamp(result.startedAt);
  const outputs = outputsOf(pod, result);
  if (outputs.found.length > 0 || result.result !== undefined || result.error === undefined) {
    node.outputs = nodeOutputs(outputs.found, result);
  }
  if (result.progress !== undefined) node.progress = result.progress;
  if (result.stopped !== undefined) endNode(planning, node, result.stopped.phase, result.stopped.message);
  else if (result.error !== undefined) endNode(planning, node, 'Error', result.error);
  else if (result.exitCode !== 0) endNode(planning, node, 'Failed', `main: Error (exit code ${result.exitCode})`);
  else if (outputs.missing !== undefined) endNode(planning, node, 'Error', outputs.missing);
  else endNode(planning, node, 'Succeeded');
  node.finishedAt = timestamp(result.finishedAt);
  if (node.phase === 'Succeeded') node.progress = completed(node.progress);
}

function nodeOutputs(parameters: readonly Parameter[], result: AttemptResult): NodeOutputs {
  return {
    ...(parameters.length > 0 && { parameters: [...parameters] }),
    ...(result.result !== undefined && { result: result.result }),
    exitCode: String(result.exitCode),
  };
}

function completed(progress: string | undefined): string {
  const total = progress?.split('/')[1] ?? '1';
  return `${total}/${total}`;
}

function outputsOf(pod: PodPlan, result: AttemptResult): { readonly found: readonly Parameter[]; readonly missing?: string } {
  const found: Parameter[] = [];
  let missing: string | undefined;
  for (const parameter of pod.template.outputs?.parameters ?? []) {
    const path = parameter.valueFrom?.path;
    const content = Object.hasOwn(result.outputs, parameter.name) ? result.outputs[parameter.name] : undefined;
    const value = content ?? textOf(parameter.valueFrom?.default) ?? textOf(parameter.value) ?? textOf(parameter.default);
    if (value === undefined) missing ??= `output parameter ${JSON.stringify(parameter.name)}: the step left no file ${path ?? '(no path)'}`;
    else found.push({ ...parameter, value });
  }
  return { found, ...(missing !== undefined && { missing }) };
}

/** Why the node may not go on, if it may not. */
function endingOf(planning: Planning, node: NodeStatus, call: Call, template: Template): string | undefined {
  if (planning.shutdown !== undefined) return `workflow shutdown with strategy: ${planning.shutdown}`;
  if (call.deadline !== undefined) {
    if (planning.now >= call.deadline) return deadlineMessage;
    wakeAt(planning, call.deadline);
  }
  if (node.phase !== 'Running' || template.activeDeadlineSeconds === undefined) return undefined;
  const seconds = Number(template.activeDeadlineSeconds);
  if (!Number.isFinite(seconds))
    throw new WorkflowError('InvalidDeadline', `activeDeadlineSeconds ${template.activeDeadlineSeconds} is not a number`);
  const deadline = deadlineAfter(node.startedAt, seconds * 1000, planning.now);
  if (planning.now >= deadline) return 'Pod was active on the node longer than the specified deadline';
  wakeAt(planning, deadline);
  return undefined;
}
