import type { KubeObject, ObjectMeta } from '@arc/apimachinery';
import type { WorkflowCondition, WorkflowSpec } from './workflow-types.ts';

export interface CronWorkflowSpec {
  workflowSpec: WorkflowSpec;
  /** Before Argo 3.6; `schedules` takes its place. */
  schedule?: string;
  schedules?: string[];
  /** IANA name; unset: that of the machine. */
  timezone?: string;
  concurrencyPolicy?: 'Allow' | 'Forbid' | 'Replace' | '';
  suspend?: boolean;
  /** How late a run that was missed may still start; unset: not at all. */
  startingDeadlineSeconds?: number;
  /** Default 3. */
  successfulJobsHistoryLimit?: number;
  /** Default 1. */
  failedJobsHistoryLimit?: number;
  workflowMetadata?: Pick<ObjectMeta, 'labels' | 'annotations' | 'finalizers'>;
  stopStrategy?: { expression?: string };
  when?: string;
}

/** A v1 ObjectReference. */
export interface CronWorkflowRun {
  apiVersion?: string;
  kind?: string;
  namespace?: string;
  name: string;
  uid: string;
  resourceVersion?: string;
}

export interface CronWorkflowStatus {
  active?: CronWorkflowRun[] | null;
  lastScheduledTime?: string | null;
  /** Ours: Argo's tools compute it. */
  nextScheduledTime?: string | null;
  conditions?: WorkflowCondition[] | null;
  succeeded?: number;
  failed?: number;
  phase?: 'Active' | 'Stopped' | '';
}

export interface CronWorkflow extends KubeObject {
  spec: CronWorkflowSpec;
  status?: CronWorkflowStatus;
}
