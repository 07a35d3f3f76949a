import type { NodeStatus, Workflow } from '@arc/api/argo';
import type { ArtifactWorkflow, ArtifactWorkflowStatus } from '@arc/api/arc';
import { isAbort, messageOf } from '@arc/kernel';
import { refOf } from '../metadata/references.ts';
import { cleanText } from './clean-text.ts';
import type { RunContext } from './context.ts';
import { readLogTail } from './log-tail.ts';
import { nodesOf } from './nodes.ts';
import { redactorFor } from './redaction.ts';
import type { Redactor } from './redaction.ts';
import { failedPods, podNameOf, stepsOf } from './steps.ts';

const maxSteps = 5;
const maxStepMessage = 512;
const maxMessage = 2048;
const maxLogTail = 4096;

export type FailureReport = Pick<ArtifactWorkflowStatus, 'message' | 'logTail' | 'steps'>;

/**
 * What to tell about a failed Workflow: its own message, what each failed step says, and the end of the log of the one
 * that failed first, or what was read of that before its pod was gone. Values of the run's Secrets are replaced; where that cannot be done, nothing of the steps is shown.
 */
export async function reportFailure(
  context: RunContext,
  run: ArtifactWorkflow,
  { workflow, earlierLogTail }: { readonly workflow: Workflow; readonly earlierLogTail: string | undefined },
  signal: AbortSignal,
): Promise<FailureReport> {
  let redact: Redactor | 'changed';
  try {
    redact = await redactorFor(context, workflow, signal);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    context.logger.warn('cannot read the Secrets of a failed run, so its output is withheld', { ...refOf(run), error: messageOf(error) });
    return { message: 'the workflow failed; its output is withheld because the Secrets it may contain could not be read' };
  }
  const nodes = nodesOf(workflow.status ?? {});
  if (redact === 'changed') return withheld(nodes);
  const pods = failedPods(nodes);
  const steps = stepsOf(nodes, redact);
  const [first] = pods;
  const logTail =
    (first === undefined ? undefined : await logOf(context, workflow, podNameOf(refOf(workflow).name, first), redact, signal)) ??
    earlierLogTail;
  return {
    message: failureMessage(workflow, pods, { redact, lastLine: lastLineOf(logTail) }),
    ...(logTail !== undefined && { logTail }),
    ...(steps.length > 0 && { steps }),
  };
}

/** Which steps failed, and nothing of what they say. */
function withheld(nodes: Readonly<Record<string, NodeStatus>>): FailureReport {
  const [first] = failedPods(nodes);
  const steps = stepsOf(nodes);
  const what = first === undefined ? 'the workflow failed' : `Step '${first.displayName}' failed`;
  return {
    message: `${what}; its output is withheld because a Secret it was given has changed since and may be in it`,
    ...(steps.length > 0 && { steps }),
  };
}

/**
 * The first line says why, because it is all that the Order and the tables show: a program tells its reason in its last
 * line, while the node only knows the exit code.
 */
function failureMessage(
  workflow: Workflow,
  pods: readonly NodeStatus[],
  { redact, lastLine }: { readonly redact: Redactor; readonly lastLine: string | undefined },
): string {
  const parts = pods.slice(0, maxSteps).map(({ displayName, message }, index) => {
    const own = cleanText(redact(textOf(message)), { maxBytes: maxStepMessage });
    const reason = index === 0 && lastLine !== undefined ? `${lastLine}\n${own}` : own;
    return `Step '${displayName}' failed: ${reason}`;
  });
  if (pods.length > maxSteps) parts.push(`and ${pods.length - maxSteps} more steps`);
  const own = redact(textOf(workflow.status?.message));
  const text = parts.length > 0 ? parts.join('\n') : own === '' ? 'the workflow failed and says no more' : own;
  return cleanText(text, { maxBytes: maxMessage });
}

/** The end of the log of a step that has failed while others still run: its pod may be gone when they have ended. */
export async function earlyLogTail(
  context: RunContext,
  { workflow, pod }: { readonly workflow: Workflow; readonly pod: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const redact = await redactorFor(context, workflow, signal);
    return redact === 'changed' ? undefined : await logOf(context, workflow, pod, redact, signal);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    return undefined;
  }
}

async function logOf(
  context: RunContext,
  workflow: Workflow,
  pod: string,
  redact: Redactor,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { namespace, name } = refOf(workflow);
  try {
    const tail = await readLogTail(context.client, { namespace, name: pod }, signal);
    return tail === undefined ? undefined : cleanText(redact(tail), { maxBytes: maxLogTail, keep: 'end' });
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    context.logger.debug('no log of a failed step', { namespace, workflow: name, error: messageOf(error) });
    return undefined;
  }
}

function lastLineOf(logTail: string | undefined): string | undefined {
  const line = logTail
    ?.trimEnd()
    .split('\n')
    .at(-1)
    ?.replace(/^error: /i, '')
    .trim();
  return line === undefined || line === '' ? undefined : cleanText(line, { maxBytes: maxStepMessage });
}

function textOf(text: string | null | undefined): string {
  return text ?? '';
}
