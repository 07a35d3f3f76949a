import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { Endpoint, Order } from '@arc/api/arc';
import { clusterWorkflowTemplates } from '@arc/api/argo';
import { decodeYaml } from '@arc/apimachinery';
import type { KubeObject } from '@arc/apimachinery';
import { clientConfigOf, createKubeClient, loadKubeconfig } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { arcctlCommand, eventually, runCommand, startEmbeddedArc } from '@arc/testkit';
import type { CommandResult, EmbeddedArc, EmbeddedArcOptions, RunOptions } from '@arc/testkit';

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));

/** A running embedded ARC in a folder of its own, and a client that is its administrator. */
export interface World extends AsyncDisposable {
  readonly folder: string;
  readonly dataDir: string;
  readonly arc: EmbeddedArc;
  readonly client: KubeClient;
  arcctl(args: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** Ends the server with a signal and starts it again on the same data and port. */
  restart(signal: NodeJS.Signals): Promise<void>;
}

export async function startWorld(options: Partial<EmbeddedArcOptions> = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'arc-e2e-'));
  const dataDir = options.dataDir ?? join(folder, 'data');
  let arc = await startEmbeddedArc({ ...options, dataDir });
  const { kubeconfig, server } = arc;
  const client = createKubeClient(
    await clientConfigOf(await loadKubeconfig([{ path: kubeconfig, text: await readFile(kubeconfig, 'utf8') }])),
    {
      userAgent: 'arc-e2e',
    },
  );
  const [program, ...leading] = options.command ?? arcctlCommand;
  return {
    folder,
    dataDir,
    client,
    get arc() {
      return arc;
    },
    arcctl: (args, runOptions) => runCommand(program, [...leading, ...args, '--kubeconfig', kubeconfig], runOptions),
    async restart(signal) {
      await arc.stop(signal);
      arc = await startEmbeddedArc({ ...options, dataDir, listen: new URL(server).host });
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await arc.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Creates the shipped OCI template and type. */
export async function installOciType(client: KubeClient): Promise<void> {
  await installType(client, 'oci');
}

/** Creates the shipped template and type of a folder of examples. */
export async function installType(client: KubeClient, folder: 'oci' | 'helm' | 'blob' | 's3' | 'oci-known-tools'): Promise<void> {
  await client.create(clusterWorkflowTemplates, await readExample(folder, 'cluster-workflow-template.yaml'));
  await client.create(clusterArtifactTypes, await readExample(folder, 'artifact-type.yaml'));
}

export async function readExample(folder: string, file: string): Promise<KubeObject> {
  return decodeYaml(await readFile(join(examples, folder, file), 'utf8')).value as unknown as KubeObject;
}

export function endpoint(name: string, remoteURL: string, spec: Partial<Endpoint['spec']> = {}, namespace = 'default'): Endpoint {
  return {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Endpoint',
    metadata: { name, namespace },
    spec: { type: 'oci', remoteURL, ...spec },
  };
}

/** Creates the Endpoints `src` and `dst` in a namespace. */
export async function createEndpoints(client: KubeClient, source: string, destination: string, namespace = 'default'): Promise<void> {
  await client.create(endpoints, endpoint('src', source, { usage: 'PullOnly' }, namespace));
  await client.create(endpoints, endpoint('dst', destination, { usage: 'PushOnly' }, namespace));
}

/** An Order whose spec is there to be changed. */
export type NewOrder = Order & { spec: NonNullable<Order['spec']> };

/** An Order from `src` to `dst` with one artifact for each artifact spec. */
export function ociOrder(name: string, specs: readonly Record<string, unknown>[], namespace = 'default'): NewOrder {
  return {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Order',
    metadata: { name, namespace },
    spec: {
      defaults: { srcRef: { name: 'src' }, dstRef: { name: 'dst' } },
      artifacts: specs.map((spec) => ({ type: 'oci', spec })),
    },
  };
}

/** Waits until an Order has come to an end, and returns it. */
export function finishedOrder(client: KubeClient, name: string, namespace = 'default', timeoutMs = 60_000): Promise<Order> {
  return eventually(
    async () => {
      const order = await client.get<Order>(orders, { namespace, name });
      return order.status?.phase === 'Succeeded' || order.status?.phase === 'Failed' ? order : undefined;
    },
    { what: `the end of order ${namespace}/${name}`, timeoutMs },
  );
}
