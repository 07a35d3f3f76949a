import type { Workflow } from '@arc/api/argo';
import { workflows } from '@arc/api/argo';
import type { ArtifactWorkflow, ArtifactWorkflowStatus } from '@arc/api/arc';
import { receiptOutput } from '@arc/api/arc';
import { readIfThere } from '@arc/kube-client';
import { workflowRecord } from '../informers/workflow-record.ts';
import type { WorkflowRecord } from '../informers/workflow-record.ts';
import { timestamp } from '../metadata/conditions.ts';
import { refOf } from '../metadata/references.ts';
import { cleanText } from './clean-text.ts';
import type { RunContext } from './context.ts';
import { reportFailure } from './failure.ts';

/** A receipt is a statement of digests; larger ones do not belong into a status. */
const maxReceiptBytes = 64 * 1024;
const maxMessage = 512;

/** The status of a run whose Workflow is under way. */
export function statusUnderWay(run: ArtifactWorkflow, workflow: WorkflowRecord): ArtifactWorkflowStatus {
  const { message, progress, progressUnit, startedAt, steps } = workflow;
  return {
    ...carriedOver(run.status),
    phase: workflow.phase === '' ? 'Pending' : workflow.phase,
    // What a running workflow says may hold output of its steps; what a waiting one waits for is the engine's own words.
    ...(message !== undefined && isWaiting(workflow) && { message: cleanText(message, { maxBytes: maxMessage }) }),
    ...(progress !== undefined && { progress, progressUnit }),
    ...(startedAt !== undefined && { startTime: startedAt }),
    ...(steps.length > 0 && { steps: [...steps] }),
    activeWorkflowRef: { name: workflow.metadata.name ?? '' },
  };
}

/** The status of a run whose Workflow has ended. Reads the whole Workflow once if there is a receipt or a failure. */
export async function statusEnded(
  context: RunContext,
  run: ArtifactWorkflow,
  { workflow, earlierLogTail }: { readonly workflow: WorkflowRecord; readonly earlierLogTail?: string | undefined },
  signal: AbortSignal,
): Promise<ArtifactWorkflowStatus> {
  const isPlain = workflow.phase === 'Succeeded' && !workflow.hasReceipt;
  const whole = isPlain ? undefined : await readWhole(context, workflow, signal);
  const record = whole === undefined ? workflow : workflowRecord(whole);
  const ended = record.finishedAt ?? timestamp(context.clock.now());
  const status: ArtifactWorkflowStatus = { ...statusUnderWay(run, record), completionTime: ended };
  if (record.phase === 'Succeeded') {
    return { ...status, ...receiptOf(whole), succeeded: 1, failed: 0 };
  }
  const failure =
    whole === undefined
      ? { message: 'the workflow failed and was removed before it could be read' }
      : await reportFailure(context, run, { workflow: whole, earlierLogTail }, signal);
  return { ...status, reason: 'WorkflowFailed', ...failure, failureTime: ended, succeeded: 0, failed: 1 };
}

/** Undefined when it is gone, or when another of its name took its place. */
export async function readWhole(context: RunContext, workflow: WorkflowRecord, signal: AbortSignal): Promise<Workflow | undefined> {
  const whole = await readIfThere<Workflow>(context.client, workflows, refOf(workflow), signal);
  return whole?.metadata.uid === workflow.metadata.uid ? whole : undefined;
}

function receiptOf(workflow: Workflow | undefined): Pick<ArtifactWorkflowStatus, 'receipt' | 'message'> {
  const value = workflow?.status?.outputs?.parameters?.find(({ name }) => name === receiptOutput)?.value;
  if (value === undefined || value === null || value === '') return {};
  const receipt = String(value);
  return Buffer.byteLength(receipt) <= maxReceiptBytes
    ? { receipt }
    : { message: `the receipt is larger than ${maxReceiptBytes} bytes and was left out; the Workflow has it` };
}

function isWaiting({ phase }: WorkflowRecord): boolean {
  return phase === '' || phase === 'Pending';
}

export function carriedOver(status: ArtifactWorkflowStatus | undefined): ArtifactWorkflowStatus {
  const { lastForceAt, lastRetry, lastScheduled } = status ?? {};
  return {
    ...(lastForceAt !== undefined && { lastForceAt }),
    ...(lastRetry !== undefined && { lastRetry }),
    ...(lastScheduled !== undefined && { lastScheduled }),
  };
}
