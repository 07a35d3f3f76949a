import type { NodeStatus } from '@arc/api/argo';
import type { ArtifactWorkflowStep } from '@arc/api/arc';
import { cleanText } from './clean-text.ts';

const maxSteps = 50;
const maxStepMessage = 200;

/**
 * The nodes that stand for work or for a decision not to do it, in the order they started. What a step says may hold
 * anything it printed, so it is left out unless a `redact` is given.
 */
export function stepsOf(nodes: Readonly<Record<string, NodeStatus>>, redact?: (text: string) => string): ArtifactWorkflowStep[] {
  return Object.values(nodes)
    .filter(({ type }) => type === 'Pod' || type === 'Skipped' || type === 'Suspend')
    .sort(byStart)
    .slice(0, maxSteps)
    .map(({ displayName, phase = 'Pending', message, startedAt, finishedAt }) => ({
      name: displayName,
      phase,
      ...(redact !== undefined && isSet(message) && { message: cleanText(redact(message), { maxBytes: maxStepMessage }) }),
      ...(isSet(startedAt) && { startTime: startedAt }),
      ...(isSet(finishedAt) && { completionTime: finishedAt }),
    }));
}

/** The pods whose failure failed the workflow, in the order they ended: of the attempts of a retried step only the last. */
export function failedPods(nodes: Readonly<Record<string, NodeStatus>>): NodeStatus[] {
  const retried = new Set<string>();
  for (const { type, children, phase } of Object.values(nodes)) {
    if (type !== 'Retry') continue;
    const attempts = children ?? [];
    for (const attempt of phase === 'Succeeded' ? attempts : attempts.slice(0, -1)) retried.add(attempt);
  }
  return Object.values(nodes)
    .filter(({ id, type, phase }) => type === 'Pod' && (phase === 'Failed' || phase === 'Error') && !retried.has(id))
    .sort(byEnd);
}

/**
 * The name of a node's pod: `<workflow>-<template>-<hash of the node's name>`, or just the workflow's name for the only
 * node of a workflow without steps (Argo's pod names, version 2).
 */
export function podNameOf(workflowName: string, node: NodeStatus & { readonly templateRef?: { readonly template?: string } }): string {
  if (node.name === workflowName) return workflowName;
  const template = node.templateName ?? node.templateRef?.template ?? '';
  const hash = node.id.slice(node.id.lastIndexOf('-') + 1);
  // Argo cuts the readable part so that the whole fits a pod's name.
  const prefix = `${workflowName}-${template}`.slice(0, 253 - 11);
  return `${prefix}-${hash}`;
}

function byStart(a: NodeStatus, b: NodeStatus): number {
  return compare(a.startedAt ?? '', b.startedAt ?? '') || compare(a.name, b.name);
}

function byEnd(a: NodeStatus, b: NodeStatus): number {
  return compare(a.finishedAt ?? '', b.finishedAt ?? '') || compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isSet(text: string | null | undefined): text is string {
  return text !== undefined && text !== null && text !== '';
}
