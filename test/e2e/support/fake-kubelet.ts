import { pods } from '@arc/api/core';
import type { Pod } from '@arc/api/core';
import { isStatusReason, statusError } from '@arc/apimachinery';
import type { KubeObject, ResourceType } from '@arc/apimachinery';
import type { Connector } from '@arc/apiserver';
import type { ControllerDefinition } from '@arc/controller';
import { createInformer } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';

/** How the main container of a pod ends. */
export interface PodResult {
  readonly exitCode: number;
  /** What it has printed. */
  readonly log?: string;
  /** Parameters it leaves, by name. */
  readonly outputs?: Readonly<Record<string, string>>;
}

/** Says how the pod of a step ends; undefined: it goes on running, and is asked about again. The client is that of the kubelet. */
export type PodScript = (step: string, pod: Pod, client: KubeClient) => PodResult | undefined | Promise<PodResult | undefined>;

export interface FakeKubelet {
  controller(client: KubeClient): ControllerDefinition;
  /** What containers have printed, for as long as there is their pod. */
  readonly logs: Connector;
}

/** Moves the pods of Workflows through their phases as a kubelet and Argo's executor do, with results from a script. */
export function createFakeKubelet(script: PodScript): FakeKubelet {
  /** By namespace/name of the pod. */
  const printed = new Map<string, string>();
  return {
    logs: {
      ...{ group: '', plural: 'pods', subresource: 'log', verbs: ['get'], mediaType: 'text/plain' },
      async handle({ namespace, name }) {
        const log = await Promise.resolve(printed.get(`${namespace}/${name}`));
        if (log === undefined) throw statusError.notFound({ group: '', plural: 'pods/log' }, name);
        return { contentType: 'text/plain', body: chunksOf(log) };
      },
    },
    controller(client) {
      const informer = createInformer<Pod>(client, pods, { labelSelector: workflowLabel });
      return {
        name: 'fake-kubelet',
        sources: [{ informer: informer as never }],
        workers: 8,
        reconcile: async ({ namespace = '', name }, signal) => {
          const pod = informer.get(namespace, name);
          if (pod === undefined || isEnded(pod)) return undefined;
          try {
            if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase !== 'Running') {
              await writeStatus(client, pod, { running: { startedAt: now() } }, signal);
              return undefined;
            }
            const result = await script(stepOf(pod), pod, client);
            if (result === undefined) return { requeueAfterMs: 20 };
            if (result.log !== undefined) printed.set(`${namespace}/${name}`, result.log);
            await report(client, pod, result, signal);
            const { exitCode } = result;
            await writeStatus(client, pod, { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' } }, signal);
          } catch (error) {
            if (!isStatusReason(error, 'NotFound')) throw error;
          }
          return undefined;
        },
      };
    },
  };
}

const workflowLabel = 'workflows.argoproj.io/workflow';
const taskResults: ResourceType = {
  ...{ group: 'argoproj.io', version: 'v1alpha1', plural: 'workflowtaskresults' },
  ...{ kind: 'WorkflowTaskResult', namespaced: true },
};

type State =
  | { readonly running: { readonly startedAt: string } }
  | { readonly terminated: { readonly exitCode: number; readonly reason: string } };

async function writeStatus(client: KubeClient, pod: Pod, state: State, signal: AbortSignal): Promise<void> {
  const { namespace = '', name = '' } = pod.metadata;
  const failed = 'terminated' in state && state.terminated.exitCode !== 0;
  const phase = 'running' in state ? 'Running' : failed ? 'Failed' : 'Succeeded';
  const containerStatuses = (pod.spec?.containers ?? []).map((container) => ({
    name: container.name,
    ...{ ready: phase === 'Running', restartCount: 0, image: container.image },
    // Only the step itself has failed, not what watches over it.
    state: failed && container.name !== 'main' ? { terminated: { exitCode: 0, reason: 'Completed' } } : state,
  }));
  const status = { phase, containerStatuses, startTime: pod.status?.startTime ?? now() };
  await client.patch(pods, { namespace, name }, { status }, { signal, subresource: 'status' });
}

/** Once, also when the server is lost before the status of the pod is written, so that all of it is done again. */
async function report(client: KubeClient, pod: Pod, result: PodResult, signal: AbortSignal): Promise<void> {
  try {
    await client.create(taskResults, taskResultOf(pod, result), { signal });
  } catch (error) {
    if (!isStatusReason(error, 'AlreadyExists')) throw error;
  }
}

/** What Argo's executor reports beside what the kubelet sees. */
function taskResultOf(pod: Pod, { outputs = {}, exitCode }: PodResult): KubeObject {
  const { namespace, labels, annotations } = pod.metadata;
  const template = templateOf(pod);
  const parameters = (template.outputs?.parameters ?? []).map((parameter) => ({ ...parameter, value: outputs[parameter.name] ?? '' }));
  return {
    ...{ apiVersion: 'argoproj.io/v1alpha1', kind: 'WorkflowTaskResult' },
    metadata: {
      name: annotations?.['workflows.argoproj.io/node-id'] ?? '',
      namespace: namespace ?? '',
      labels: {
        [workflowLabel]: labels?.[workflowLabel] ?? '',
        ...instanceOf(labels),
        'workflows.argoproj.io/report-outputs-completed': 'true',
      },
    },
    outputs: { exitCode: String(exitCode), ...(exitCode === 0 && parameters.length > 0 && { parameters }) },
  } as KubeObject;
}

function instanceOf(labels: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const label = 'workflows.argoproj.io/controller-instanceid';
  const id = labels?.[label];
  return id === undefined ? {} : { [label]: id };
}

interface PodTemplate {
  readonly name: string;
  readonly outputs?: { readonly parameters?: readonly { readonly name: string }[] };
}

/** What Argo tells its executor to run in a pod. */
export function templateOf({ spec }: Pod): PodTemplate {
  const variables = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].flatMap(({ env }) => env ?? []);
  return JSON.parse(variables.find(({ name }) => name === 'ARGO_TEMPLATE')?.value ?? '{}') as PodTemplate;
}

/** The name of a pod's step: its display name in Argo. */
function stepOf(pod: Pod): string {
  const node = nodeNameOf(pod);
  return node.slice(node.lastIndexOf('.') + 1);
}

/** The whole name of the node of a pod. */
export function nodeNameOf({ metadata }: Pod): string {
  return metadata.annotations?.['workflows.argoproj.io/node-name'] ?? '';
}

function isEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+/, '');
}

async function* chunksOf(text: string): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
}
