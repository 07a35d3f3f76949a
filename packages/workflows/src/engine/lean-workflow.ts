import type { Workflow } from '@arc/api/argo';
import { isCompleted } from '../planner/plan.ts';
import { engineFinalizer } from './labels.ts';

/**
 * Of a Workflow that has ended and holds nothing any more, only how it ended is kept: 7 KB less each. One that is retried is made active
 * by a change, which brings all of it.
 */
export function leanWorkflow(workflow: Workflow): Workflow {
  const { phase, finishedAt } = workflow.status ?? {};
  if (!isCompleted(phase) || workflow.metadata.finalizers?.includes(engineFinalizer) === true) return workflow;
  const { managedFields: _managedFields, ...metadata } = workflow.metadata;
  return {
    apiVersion: workflow.apiVersion,
    kind: workflow.kind,
    metadata,
    spec: {},
    status: { ...(phase !== undefined && { phase }), ...(finishedAt !== undefined && { finishedAt }) },
  };
}
