import type { NodeStatus, WorkflowStep } from '@arc/api/argo';
import { textOf } from '../model/any-string.ts';
import type { Planning } from './planning.ts';

/** Makes what a finished step left behind visible to the steps after it, under `steps.<name>` (1.4). */
export function publishNode(planning: Planning, scope: Map<string, string>, step: WorkflowStep, node: NodeStatus | undefined): void {
  if (node === undefined) return;
  const prefix = `steps.${step.name}`;
  scope.set(`${prefix}.id`, node.id);
  scope.set(`${prefix}.ip`, '127.0.0.1');
  scope.set(`${prefix}.status`, node.phase ?? '');
  scope.set(`${prefix}.startedAt`, node.startedAt ?? '');
  scope.set(`${prefix}.finishedAt`, node.finishedAt ?? '');
  if (node.hostNodeName !== undefined) scope.set(`${prefix}.hostNodeName`, node.hostNodeName);
  if (node.outputs?.exitCode !== undefined) scope.set(`${prefix}.exitCode`, node.outputs.exitCode);
  if (node.outputs?.result !== undefined) scope.set(`${prefix}.outputs.result`, node.outputs.result);
  const parameters = node.outputs?.parameters ?? defaultsOfSkipped(planning, step, node);
  if (parameters.length > 0) {
    scope.set(`${prefix}.outputs.parameters`, JSON.stringify(parameters.map(({ name, value }) => ({ name, value }))));
  }
  for (const { name, value } of parameters) scope.set(`${prefix}.outputs.parameters.${name}`, String(value ?? ''));
}

/** Exports the outputs of a node that have a `globalName`. Later nodes see them; the last one to set a name wins. */
export function publishOutputs(planning: Planning, node: NodeStatus): void {
  for (const { globalName, value } of node.outputs?.parameters ?? []) {
    if (globalName === undefined || globalName === '') continue;
    planning.outputs.set(globalName, String(value ?? ''));
    planning.globals.set(`workflow.outputs.parameters.${globalName}`, String(value ?? ''));
  }
}

function defaultsOfSkipped(planning: Planning, step: WorkflowStep, node: NodeStatus): { name: string; value: string }[] {
  if (node.phase !== 'Skipped') return [];
  const template = planning.spec.templates?.find((candidate) => candidate.name === step.template);
  return (template?.outputs?.parameters ?? []).flatMap(({ name, valueFrom }) => {
    const value = textOf(valueFrom?.default);
    return value === undefined ? [] : [{ name, value }];
  });
}
