import { artifactWorkflows, orders, orderUidLabel } from '@arc/api/arc';
import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { workflows } from '@arc/api/argo';
import type { Workflow } from '@arc/api/argo';
import { pods } from '@arc/api/core';
import type { Pod } from '@arc/api/core';
import { UsageError } from '@arc/cli-kit';
import { isStatusReason } from '@arc/apimachinery/client';
import type { KubeObject, ResourceType } from '@arc/apimachinery/client';
import { ArcError } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';

/** What logs are asked of, as it is at the moment. */
interface LogTarget {
  /** The pods of its steps, in the order they were created. */
  readonly pods: readonly Pod[];
  /** Nothing will be added any more. */
  readonly isFinished: boolean;
}

/** Looks again at what the name stands for. */
export type LookAtTarget = (signal: AbortSignal) => Promise<LogTarget>;

/** On pods: the Workflow whose step they run, as Argo labels them. */
const workflowLabel = 'workflows.argoproj.io/workflow';
/** On pods: the node, for example `demo[1].verify`. */
const nodeNameAnnotation = 'workflows.argoproj.io/node-name';

const types = [orders, artifactWorkflows, workflows, pods] as const;
const shortNames: Readonly<Record<string, ResourceType>> = { ord: orders, aw: artifactWorkflows, wf: workflows, po: pods };

/**
 * Finds what a name or KIND/NAME stands for: an Order, else an ArtifactWorkflow, a Workflow, a Pod.
 *
 * @throws ArcError `NotFound`, UsageError
 */
export async function findLogTarget(client: KubeClient, namespace: string, text: string, signal: AbortSignal): Promise<LookAtTarget> {
  const [word = '', named, ...rest] = text.split('/');
  if (rest.length > 0 || named === '') throw new UsageError(`${JSON.stringify(text)} is neither NAME nor KIND/NAME`);
  const name = named ?? word;
  const candidates = named === undefined ? types : [typeNamed(word)];
  const found = await Promise.all(candidates.map((type) => exists(client, type, namespace, name, signal)));
  const type = candidates.find((_, index) => found[index]);
  if (type === undefined) {
    const what = named === undefined ? 'order, artifactworkflow, workflow or pod' : candidates.map(({ kind }) => kind.toLowerCase()).join();
    throw new ArcError('NotFound', `there is no ${what} ${JSON.stringify(name)} in namespace ${namespace}`, {
      hint: 'List them with arcctl get orders; choose another namespace with -n.',
    });
  }
  return (lookSignal) => look(client, type, namespace, name, lookSignal);
}

function typeNamed(word: string): ResourceType {
  const wanted = word.toLowerCase();
  const type = types.find(({ kind, plural }) => wanted === plural || wanted === kind.toLowerCase()) ?? shortNames[wanted];
  if (type !== undefined) return type;
  throw new UsageError(`${JSON.stringify(word)} has no logs`, { hint: 'Name an order, an artifactworkflow, a workflow or a pod.' });
}

async function exists(client: KubeClient, type: ResourceType, namespace: string, name: string, signal: AbortSignal): Promise<boolean> {
  return (await getIfThere(client, type, namespace, name, signal)) !== undefined;
}

async function getIfThere<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await client.get<T>(type, { namespace, name }, { signal });
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

async function look(client: KubeClient, type: ResourceType, namespace: string, name: string, signal: AbortSignal): Promise<LogTarget> {
  if (type === pods) {
    const pod = await getIfThere<Pod>(client, pods, namespace, name, signal);
    return { pods: pod === undefined ? [] : [pod], isFinished: pod === undefined || hasEnded(pod) };
  }
  const { names, isFinished } = await workflowsOf(client, type, namespace, name, signal);
  const { items } = await client.list<Pod>(pods, { namespace, labelSelector: workflowLabel, signal });
  const mine = items.filter(({ metadata }) => names.has(metadata.labels?.[workflowLabel] ?? ''));
  return { pods: mine.toSorted(byCreation), isFinished: isFinished && mine.every(hasEnded) };
}

/** The names of the Workflows that run what was asked for. */
async function workflowsOf(
  client: KubeClient,
  type: ResourceType,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<{ names: ReadonlySet<string>; isFinished: boolean }> {
  if (type === orders) {
    const order = await getIfThere<Order>(client, orders, namespace, name, signal);
    if (order === undefined) return { names: new Set(), isFinished: true };
    const { items } = await client.list(workflows, { namespace, labelSelector: `${orderUidLabel}=${order.metadata.uid}`, signal });
    const phase = order.status?.phase;
    return { names: new Set(items.map(({ metadata }) => metadata.name ?? '')), isFinished: phase === 'Succeeded' || phase === 'Failed' };
  }
  if (type === artifactWorkflows) {
    const run = await getIfThere<ArtifactWorkflow>(client, artifactWorkflows, namespace, name, signal);
    const isFinished = run === undefined || (run.status?.completionTime ?? run.status?.failureTime) !== undefined;
    return { names: new Set([run?.status?.activeWorkflowRef?.name ?? name]), isFinished };
  }
  const workflow = await getIfThere<Workflow>(client, workflows, namespace, name, signal);
  return { names: new Set([name]), isFinished: workflow === undefined || workflow.status?.finishedAt !== undefined };
}

function byCreation(a: Pod, b: Pod): number {
  const [first, second] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (first !== second) return first < second ? -1 : 1;
  // Many steps begin within one second; the names of their nodes count the groups.
  const nodeName = (pod: Pod): string => pod.metadata.annotations?.[nodeNameAnnotation] ?? pod.metadata.name ?? '';
  return nodeName(a).localeCompare(nodeName(b), 'en', { numeric: true });
}

function hasEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
