import type { NodeStatus, Workflow } from '@arc/api/argo';
import { endpointsAnnotation, heldAnnotation, receiptOutput, workloadAnnotation } from '@arc/api/arc';
import type { ArtifactWorkflowStep } from '@arc/api/arc';
import type { KubeObject } from '@arc/apimachinery';
import { nodesOf } from '../artifact-workflow/nodes.ts';
import { failedPods, podNameOf, stepsOf } from '../artifact-workflow/steps.ts';

/** What the controllers keep of a Workflow: hundreds of nodes with their inputs and outputs would dwarf everything else. */
export interface WorkflowRecord extends KubeObject {
  readonly phase: string;
  readonly message: string | undefined;
  readonly progress: string | undefined;
  /** What progress counts. */
  readonly progressUnit: 'Bytes' | 'Steps';
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
  readonly steps: readonly ArtifactWorkflowStep[];
  /** The pod of the step that failed first, if one has. */
  readonly failedPod: string | undefined;
  /** It has a receipt, which is read when it is needed. */
  readonly hasReceipt: boolean;
  /** It is suspended until its turn comes. */
  readonly isHeld: boolean;
  /** The Workload of Kueue whose quota it runs on, if it does. */
  readonly workload: string | undefined;
  /** Somebody wants it to end. */
  readonly isShutDown: boolean;
  /** Names of the Endpoints it uses. */
  readonly endpoints: readonly string[];
}

/** Reduces Workflows as they arrive. */
export function workflowRecord(workflow: Workflow): WorkflowRecord {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp, ownerReferences, annotations } = workflow.metadata;
  const { suspend, shutdown } = workflow.spec ?? {};
  const { phase, message, progress, startedAt, finishedAt, outputs } = workflow.status ?? {};
  const nodes = nodesOf(workflow.status ?? {});
  const [failed] = failedPods(nodes);
  return {
    apiVersion: workflow.apiVersion,
    kind: workflow.kind,
    metadata: {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(creationTimestamp !== undefined && { creationTimestamp }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(ownerReferences !== undefined && { ownerReferences }),
    },
    phase: phase ?? '',
    message: textOrNothing(message),
    progress: textOrNothing(progress),
    progressUnit: Object.values(nodes).some(reportsBytes) ? 'Bytes' : 'Steps',
    startedAt: textOrNothing(startedAt),
    finishedAt: textOrNothing(finishedAt),
    failedPod: failed === undefined ? undefined : podNameOf(name ?? '', failed),
    hasReceipt: outputs?.parameters?.some(({ name }) => name === receiptOutput) === true,
    isHeld: suspend === true && annotations?.[heldAnnotation] !== undefined,
    workload: annotations?.[workloadAnnotation],
    isShutDown: shutdown === 'Stop' || shutdown === 'Terminate',
    endpoints: (annotations?.[endpointsAnnotation] ?? '').split(',').filter((name) => name !== ''),
    steps: stepsOf(nodes),
  };
}

/** A pod that reports nothing counts as one step, done or not; what it does report is in bytes (docs/guide/workflow-templates.md). */
function reportsBytes({ type, progress }: NodeStatus): boolean {
  return type === 'Pod' && typeof progress === 'string' && progress !== '' && !progress.endsWith('/1');
}

/** Go clients write null or an empty text for what is unset. */
function textOrNothing(text: string | null | undefined): string | undefined {
  return text === null || text === '' ? undefined : text;
}
