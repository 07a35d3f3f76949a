import { scheduledTimeAnnotation } from '@arc/api/argo';
import type { WorkflowSpec, WorkflowStatus } from '@arc/api/argo';
import type { ResolvedParameter } from '../model/arguments.ts';
import type { WorkflowIdentity } from './planning.ts';

/**
 * The `workflow.*` names (1.4). `workflow.status`, `workflow.failures` and `workflow.duration` belong to exit handlers
 * and are left unresolved; `workflow.parameters` is a JSON list of name and value.
 */
export function globalScope(
  workflow: WorkflowIdentity,
  spec: WorkflowSpec,
  parameters: readonly ResolvedParameter[],
  status: WorkflowStatus,
): Map<string, string> {
  const scope = new Map<string, string>([
    ['workflow.name', workflow.name],
    ['workflow.namespace', workflow.namespace],
    ['workflow.uid', workflow.uid],
    ['workflow.mainEntrypoint', spec.entrypoint ?? ''],
    ['workflow.serviceAccountName', spec.serviceAccountName ?? 'default'],
    ['workflow.priority', String(spec.priority ?? 0)],
    ['workflow.status', 'Running'],
    ['workflow.parameters', JSON.stringify(parameters)],
    ['workflow.parameters.json', JSON.stringify(parameters)],
    ['workflow.labels.json', JSON.stringify(workflow.labels ?? {})],
    ['workflow.annotations.json', JSON.stringify(workflow.annotations ?? {})],
  ]);
  for (const { name, value } of parameters) scope.set(`workflow.parameters.${name}`, value);
  for (const [name, value] of Object.entries(workflow.labels ?? {})) scope.set(`workflow.labels.${name}`, value);
  for (const [name, value] of Object.entries(workflow.annotations ?? {})) scope.set(`workflow.annotations.${name}`, value);
  for (const { name, value } of status.outputs?.parameters ?? []) scope.set(`workflow.outputs.parameters.${name}`, String(value ?? ''));
  const scheduledTime = workflow.annotations?.[scheduledTimeAnnotation];
  if (scheduledTime !== undefined) scope.set('workflow.scheduledTime', scheduledTime);
  addCreationTime(scope, workflow.creationTimestamp);
  return scope;
}

function addCreationTime(scope: Map<string, string>, creationTimestamp: string | undefined): void {
  if (creationTimestamp === undefined) return;
  const time = new Date(creationTimestamp);
  if (Number.isNaN(time.getTime())) return;
  const pad = (value: number): string => String(value).padStart(2, '0');
  scope.set('workflow.creationTimestamp', creationTimestamp);
  scope.set('workflow.creationTimestamp.RFC3339', creationTimestamp);
  scope.set('workflow.creationTimestamp.s', String(Math.floor(time.getTime() / 1000)));
  scope.set('workflow.creationTimestamp.Y', String(time.getUTCFullYear()));
  scope.set('workflow.creationTimestamp.m', pad(time.getUTCMonth() + 1));
  scope.set('workflow.creationTimestamp.d', pad(time.getUTCDate()));
  scope.set('workflow.creationTimestamp.H', pad(time.getUTCHours()));
  scope.set('workflow.creationTimestamp.M', pad(time.getUTCMinutes()));
  scope.set('workflow.creationTimestamp.S', pad(time.getUTCSeconds()));
}
