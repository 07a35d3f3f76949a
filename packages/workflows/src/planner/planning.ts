import { WorkflowError } from '../model/workflow-error.ts';
import type { NodePhase, NodeStatus, NodeType, Template, Volume, WorkflowSpec, WorkflowStatus } from '@arc/api/argo';
import { displayNameOf, nodeIdOf } from '../model/node-names.ts';
import type { Observation, StopReason } from '../runner/runner.ts';
import type { TagScope } from '../templating/simple-tags.ts';
import { timestamp } from './time.ts';

/** What of a Workflow's metadata matters to its run. */
export interface WorkflowIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly creationTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface PlanInput {
  readonly workflow: WorkflowIdentity;
  /** The merged spec: what `workflowTemplateRef` stands for included. */
  readonly spec: WorkflowSpec;
  readonly status: WorkflowStatus;
  /** By node id; what the runner knows of the pods that have not ended. Nodes without an entry are taken as they are. */
  readonly observations: ReadonlyMap<string, Observation>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A step ready to be started: every tag replaced. */
export interface PodPlan {
  readonly nodeId: string;
  readonly nodeName: string;
  readonly podName: string;
  readonly template: Template;
  readonly volumes: readonly Volume[];
  readonly captureResult: boolean;
}

export type Action =
  /** The node is Pending and nothing of it is alive. */
  { readonly type: 'start'; readonly pod: PodPlan } | { readonly type: 'stop'; readonly nodeId: string; readonly reason: StopReason };

/** The state of one run of the planner. The nodes are a draft of its own. */
export interface Planning {
  readonly workflow: WorkflowIdentity;
  readonly spec: WorkflowSpec;
  readonly nodes: Record<string, NodeStatus>;
  readonly observations: ReadonlyMap<string, Observation>;
  readonly now: number;
  readonly globals: Map<string, string>;
  readonly outputs: Map<string, string>;
  readonly actions: Action[];
  /** Set while no new step may start: `spec.shutdown`. */
  readonly shutdown: string | undefined;
  wakeAt: number | undefined;
  nodeCount: number;
}

/** One use of a template. */
export interface Call {
  readonly nodeName: string;
  readonly templateName: string;
  readonly args: Template['inputs'];
  readonly boundary: NodeStatus | undefined;
  /** Milliseconds since the epoch; nothing may run beyond it. */
  readonly deadline: number | undefined;
  readonly depth: number;
  readonly captureResult: boolean;
  /** Names only this call knows: `steps.name`, `retries`, `lastRetry.*`. */
  readonly locals: TagScope;
  /** Set for an attempt of a Retry node. */
  readonly retried?: true;
}

export type RunTemplate = (planning: Planning, call: Call) => NodeStatus;

export function findNode(planning: Planning, nodeName: string): NodeStatus | undefined {
  const id = nodeIdOf(planning.workflow.name, nodeName);
  return Object.hasOwn(planning.nodes, id) ? planning.nodes[id] : undefined;
}

export function nodeById(planning: Planning, id: string): NodeStatus | undefined {
  return Object.hasOwn(planning.nodes, id) ? planning.nodes[id] : undefined;
}

export interface NodeFields {
  readonly templateName?: string;
  readonly boundary: NodeStatus | undefined;
  readonly phase: NodePhase;
  readonly message?: string;
  readonly inputs?: NodeStatus['inputs'];
  readonly retried?: true | undefined;
}

const maxNodes = 10_000;

/**
 * Adds a node; ended phases get their end time.
 *
 * @throws WorkflowError when the Workflow has grown beyond what a status can hold
 */
export function addNode(planning: Planning, nodeName: string, type: NodeType, fields: NodeFields): NodeStatus {
  const { templateName, boundary, phase, message, inputs, retried } = fields;
  if (planning.nodeCount >= maxNodes) throw new WorkflowError('TooManyNodes', `the Workflow has more than ${maxNodes} nodes`);
  planning.nodeCount++;
  const time = timestamp(planning.now);
  const node: NodeStatus = {
    id: nodeIdOf(planning.workflow.name, nodeName),
    name: nodeName,
    displayName: displayNameOf(nodeName, boundary?.name),
    type,
    ...(templateName !== undefined && { templateName, templateScope: `local/${planning.workflow.name}` }),
    ...(boundary !== undefined && { boundaryID: boundary.id }),
    phase,
    ...(message !== undefined && message !== '' && { message }),
    startedAt: time,
    ...(isFulfilled(phase) && { finishedAt: time }),
    ...(inputs !== undefined && { inputs }),
    ...(retried === true && { nodeFlag: { retried: true } }),
  };
  planning.nodes[node.id] = node;
  return node;
}

/** Ends a node. */
export function endNode(planning: Planning, node: NodeStatus, phase: NodePhase, message?: string): NodeStatus {
  node.phase = phase;
  node.finishedAt = timestamp(planning.now);
  if (message === undefined || message === '') delete node.message;
  else node.message = message;
  return node;
}

export function addChild(parent: NodeStatus, child: NodeStatus): void {
  const children = (parent.children ??= []);
  if (!children.includes(child.id)) children.push(child.id);
}

const ended: ReadonlySet<NodePhase | undefined> = new Set(['Succeeded', 'Skipped', 'Failed', 'Error', 'Omitted']);

export function isFulfilled(phase: NodePhase | undefined): boolean {
  return ended.has(phase);
}

/** Skipped and Omitted count as success (1.6). */
export function isSuccessful(phase: NodePhase | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Skipped' || phase === 'Omitted';
}

/** Asks to be planned again at this time. */
export function wakeAt(planning: Planning, ms: number): void {
  planning.wakeAt = Math.min(planning.wakeAt ?? ms, ms);
}

/** The earlier of two points in time, either of which may be open. */
export function earliest(left: number | undefined, right: number | undefined): number | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return Math.min(left, right);
}

export const deadlineMessage = 'Step exceeded its deadline';

/** The ids at which the drawing of a node ends; what follows hangs below them (1.9). */
export function outboundNodes(planning: Planning, node: NodeStatus): readonly string[] {
  if (node.type === 'Steps' || node.type === 'DAG') return node.outboundNodes ?? [node.id];
  if (node.type === 'Retry') {
    const last = nodeById(planning, node.children?.at(-1) ?? '');
    return last === undefined ? [node.id] : outboundNodes(planning, last);
  }
  return [node.id];
}
