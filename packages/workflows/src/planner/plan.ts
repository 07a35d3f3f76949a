import type { NodeStatus, WorkflowCondition, WorkflowPhase, WorkflowStatus } from '@arc/api/argo';
import { messageOf } from '@arc/kernel';
import { resolveWorkflowArguments } from '../model/arguments.ts';
import { substituteTags } from '../templating/simple-tags.ts';
import { globalScope } from './globals.ts';
import { isFulfilled, wakeAt } from './planning.ts';
import type { Action, PlanInput, Planning } from './planning.ts';
import { totalProgress, updateProgress } from './progress.ts';
import { runTemplate } from './run-template.ts';
import { deadlineAfter, timestamp } from './time.ts';

export interface Plan {
  readonly status: WorkflowStatus;
  readonly actions: readonly Action[];
  /** Milliseconds since the epoch at which planning again may lead further by time alone. */
  readonly wakeAt?: number;
}

/**
 * Decides what happens next in a Workflow. Pure: the same input gives the same plan, and planning again from the status
 * it returns, with nothing new observed, changes nothing and asks for the same actions. A node is started only while it
 * is Pending, and no two attempts of one step are alive at once.
 */
export function plan(input: PlanInput): Plan {
  const { workflow, now } = input;
  const status = structuredClone(input.status);
  if (isCompleted(status.phase)) return { status, actions: [] };
  status.phase = 'Running';
  status.startedAt ??= timestamp(now);
  status.nodes ??= {};
  setCondition(status, { type: 'Completed', status: 'False' });
  let planning: Planning;
  try {
    planning = planningOf(input, status);
  } catch (error) {
    return { status: complete(status, 'Error', messageOf(error), now), actions: [] };
  }

  let root: NodeStatus;
  try {
    root = runTemplate(planning, {
      nodeName: workflow.name,
      templateName: planning.spec.entrypoint ?? '',
      args: planning.spec.arguments,
      boundary: undefined,
      deadline: deadlineOf(planning, status),
      depth: 0,
      captureResult: false,
      locals: new Map(),
    });
  } catch (error) {
    return { status: complete(status, 'Error', messageOf(error), now), actions: [] };
  }

  if (planning.outputs.size > 0) {
    status.outputs = { ...status.outputs, parameters: [...planning.outputs].map(([name, value]) => ({ name, value })) };
  }
  updateProgress(status.nodes);
  const progress = totalProgress(status.nodes);
  if (progress !== undefined) status.progress = progress;
  if (isFulfilled(root.phase)) return { status: complete(status, phaseOf(root), messageFor(planning, root), now), actions: [] };
  setCondition(status, { type: 'PodRunning', status: hasRunningPod(status) ? 'True' : 'False' });
  const held = planning.spec.suspend === true && planning.shutdown === undefined;
  const actions = held ? planning.actions.filter((action) => action.type !== 'start') : planning.actions;
  return { status, actions, ...(planning.wakeAt !== undefined && { wakeAt: planning.wakeAt }) };
}

function planningOf(input: PlanInput, status: WorkflowStatus): Planning {
  const parameters = resolveWorkflowArguments(input.spec.arguments);
  const globals = globalScope(input.workflow, input.spec, parameters, status);
  const withValues = { ...input.spec, arguments: { ...input.spec.arguments, parameters: [...parameters] } };
  return {
    workflow: input.workflow,
    spec: substituteTags(withValues, globals),
    nodes: status.nodes ?? {},
    observations: input.observations,
    now: input.now,
    globals,
    outputs: new Map((status.outputs?.parameters ?? []).map(({ name, value }) => [name, String(value ?? '')])),
    actions: [],
    shutdown: input.spec.shutdown,
    wakeAt: undefined,
    nodeCount: Object.keys(status.nodes ?? {}).length,
  };
}

function deadlineOf(planning: Planning, status: WorkflowStatus): number | undefined {
  const seconds = planning.spec.activeDeadlineSeconds;
  if (seconds === undefined) return undefined;
  const deadline = deadlineAfter(status.startedAt, seconds * 1000, planning.now);
  if (planning.now < deadline) wakeAt(planning, deadline);
  return deadline;
}

function phaseOf(root: NodeStatus): 'Succeeded' | 'Failed' | 'Error' {
  return root.phase === 'Failed' || root.phase === 'Error' ? root.phase : 'Succeeded';
}

function messageFor(planning: Planning, root: NodeStatus): string | undefined {
  return planning.shutdown !== undefined && phaseOf(root) !== 'Succeeded' ? `Stopped with strategy '${planning.shutdown}'` : root.message;
}

/** Ends a Workflow, also one that is refused before its first step or cannot be planned any further. */
export function complete(
  status: WorkflowStatus,
  phase: 'Succeeded' | 'Failed' | 'Error',
  message: string | undefined,
  now: number,
): WorkflowStatus {
  status.phase = phase;
  for (const node of Object.values(status.nodes ?? {})) {
    if (isFulfilled(node.phase)) continue;
    node.phase = 'Error';
    node.message = 'the workflow ended before the step did';
    node.finishedAt = timestamp(now);
  }
  status.startedAt ??= timestamp(now);
  status.finishedAt = timestamp(now);
  if (message === undefined || message === '') delete status.message;
  else status.message = message;
  setCondition(status, { type: 'PodRunning', status: 'False' });
  setCondition(status, { type: 'Completed', status: 'True' });
  return status;
}

export function isCompleted(phase: WorkflowPhase | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Error';
}

/** Sets one condition by its type, leaving the order of the others. */
export function setCondition(status: WorkflowStatus, condition: WorkflowCondition): void {
  const conditions = (status.conditions ??= []);
  const index = conditions.findIndex((candidate) => candidate.type === condition.type);
  if (index < 0) conditions.push(condition);
  else conditions[index] = condition;
}

function hasRunningPod(status: WorkflowStatus): boolean {
  return Object.values(status.nodes ?? {}).some((node) => node.type === 'Pod' && node.phase === 'Running');
}
