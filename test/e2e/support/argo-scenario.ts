import assert from 'node:assert/strict';
import { artifactWorkflows, orders } from '@arc/api/arc';
import type { ArtifactWorkflow, ArtifactWorkflowStatus, Order } from '@arc/api/arc';
import { workflows } from '@arc/api/argo';
import type { Workflow } from '@arc/api/argo';
import { configMaps, namespaces, pods } from '@arc/api/core';
import type { ConfigMap, Pod } from '@arc/api/core';
import type { HandOverSettings } from '@arc/arc-controllers';
import type { KubeClient } from '@arc/kube-client';
import { argoDefinitions, eventually, startWorkflowController } from '@arc/testkit';
import type { WorkflowController } from '@arc/testkit';
import { controllerKinds } from './argo-kinds.ts';
import { namespace, startArgoWorld } from './argo-world.ts';
import type { ArgoWorld, ArgoWorldOptions } from './argo-world.ts';
import { createFakeKubelet } from './fake-kubelet.ts';
import type { PodScript } from './fake-kubelet.ts';
import { ociOrder } from './world.ts';

/** ARC with a real workflow-controller, and pods that do what they are told. */
export interface ArgoScenario extends AsyncDisposable {
  readonly client: KubeClient;
  readonly kubeconfig: string;
  readonly argo: WorkflowController;
  /** Creates an Order of one artifact, whose name holds no hyphen, and says what the pods of its Workflows do. */
  order(name: string, script: PodScript, spec?: object): Promise<void>;
  /** Says anew what the pods of an Order's Workflows do. */
  rescript(name: string, script: PodScript): void;
  /** The ArtifactWorkflow of an Order. */
  runOf(name: string): Promise<ArtifactWorkflow | undefined>;
  /** Waits until the ArtifactWorkflow of an Order is as it should be, and returns its status. */
  until(name: string, what: string, holds: (status: ArtifactWorkflowStatus) => boolean): Promise<ArtifactWorkflowStatus>;
  workflowOf(name: string): Promise<Workflow | undefined>;
  podsOf(name: string): Promise<readonly Pod[]>;
}

export interface ArgoScenarioOptions {
  readonly handOver?: HandOverSettings;
  /** Where it all runs. Default: an API server of ours alone, with the definitions of Argo. */
  readonly startWorld?: (parts: Pick<ArgoWorldOptions, 'kubelet' | 'handOver'>) => Promise<ArgoWorld>;
  /** What the pods do of Workflows that have no script. */
  readonly otherwise?: PodScript;
  /** Of the workflow-controller, by key of its ConfigMap. */
  readonly config?: Readonly<Record<string, string>>;
  /** Its command line. */
  readonly args?: readonly string[];
}

export async function startArgoScenario(options: ArgoScenarioOptions = {}): Promise<ArgoScenario> {
  const { handOver = {}, config = {}, args = [], otherwise, startWorld = startAlone } = options;
  await using opened = new AsyncDisposableStack();
  const scripts = new Map<string, PodScript>();
  const kubelet = createFakeKubelet((step, pod, client) => {
    const workflow = pod.metadata.labels?.['workflows.argoproj.io/workflow'] ?? '';
    const beginning = workflow.slice(0, workflow.indexOf('-'));
    // Workflows of Orders with long names have only the beginning of it.
    const script = [...scripts].find(([name]) => name.startsWith(beginning))?.[1] ?? otherwise;
    return script?.(step, pod, client);
  });
  const { client, kubeconfig } = opened.use(await startWorld({ kubelet, handOver }));
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argo' } });
  const configMap: ConfigMap = {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'workflow-controller-configmap', namespace: 'argo' } },
    data: { metricsConfig: 'enabled: false\n', ...config },
  };
  await client.create(configMaps, configMap);
  const argo = opened.use(await startWorkflowController(kubeconfig, { namespace: 'argo', args }));
  const beginsWith = (name: string, { metadata }: Workflow | Pod): boolean => metadata.name?.startsWith(`${name}-`) === true;
  const all = opened.move();
  const scenario: ArgoScenario = {
    ...{ client, kubeconfig, argo },
    async order(name, script, spec = {}) {
      scripts.set(name, script);
      const wish = ociOrder(name, [{ image: 'app:v1' }], namespace);
      await client.create(orders, { ...wish, spec: { ...wish.spec, ...spec } } as Order);
    },
    rescript: (name, script) => void scripts.set(name, script),
    async runOf(name) {
      const { items } = await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace });
      return items.find(({ metadata }) => metadata.ownerReferences?.[0]?.name === name);
    },
    until: (name, what, holds) =>
      eventually(
        async () => {
          const status = (await scenario.runOf(name))?.status;
          return status !== undefined && holds(status) && status;
        },
        { what: `run of ${name}: ${what}` },
      ),
    workflowOf: async (name) =>
      (await client.list<Workflow>(workflows, { namespace })).items.find((workflow) => beginsWith(name, workflow)),
    podsOf: async (name) => (await client.list<Pod>(pods, { namespace })).items.filter((pod) => beginsWith(name, pod)),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
  return scenario;
}

async function startAlone(parts: Pick<ArgoWorldOptions, 'kubelet' | 'handOver'>): Promise<ArgoWorld> {
  const definitions = argoDefinitions().at(-1);
  assert.ok(definitions !== undefined);
  return await startArgoWorld({ kinds: await controllerKinds(definitions), ...parts });
}
