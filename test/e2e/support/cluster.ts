import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arcGroup, arcVersion } from '@arc/api/arc';
import { installationRbac, installedAccounts } from '@arc/api/rbac';
import { freePort, kubernetesEtcd, startEtcd, startKubeApiserver, startKubeControllers } from '@arc/testkit';
import type { EtcdServer, KubeApiserver, KubeControllers } from '@arc/testkit';
import { startBalancer } from './balancer.ts';
import { startProgram, type Program } from './program.ts';

const namespace = 'arc-system';
/** By which the aggregation layer dials the server, and checks its certificate. */
const service = { name: installedAccounts.apiserver, namespace } as const;

const kubeControllers = [
  'namespace-controller',
  'garbage-collector-controller',
  'clusterrole-aggregation-controller',
  'resourcequota-controller',
];

/** One `arc-apiserver`. */
interface Replica {
  readonly url: string;
  /** The one that runs, or has run last. */
  program(): Program;
  /**
   * Starts it once more, on the same port; resolves when it serves.
   *
   * @param node arguments of Node itself
   */
  start(node?: readonly string[]): Promise<void>;
  /** Starts it and does not wait: it may have to. */
  launch(node?: readonly string[]): Program;
}

/** A cluster of an etcd, a kube-apiserver and a few of its controllers, with `arc-apiserver` behind it, which may what it needs only. */
export interface Cluster extends AsyncDisposable {
  readonly kube: KubeApiserver;
  /** That of kube-apiserver. */
  readonly etcd: EtcdServer;
  /** For whom the certificate of the replicas is. */
  readonly serverName: string;
  readonly replicas: readonly [Replica, ...Replica[]];
  /** Starts those of namespaces, garbage and quotas, which look only twice a minute for kinds that are new, and that of roles. */
  startControllers(): KubeControllers;
}

export interface ClusterOptions {
  /** URL of the storage; default: memory. */
  readonly storage?: string;
  /** How many `arc-apiserver` share it behind one Service; default: one, without anything between. */
  readonly replicas?: number;
  /** Further arguments of each `arc-apiserver`. */
  readonly args?: readonly string[];
  /** Further arguments of kube-apiserver. */
  readonly kubeArgs?: readonly string[];
}

/**
 * @param apply puts a manifest into the cluster as its administrator, whose kubeconfig is given
 */
export async function startCluster(
  apply: (kubeconfig: string, manifest: string) => Promise<void>,
  { storage = 'memory:', replicas: count = 1, args = [], kubeArgs = [] }: ClusterOptions = {},
): Promise<Cluster> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'arc-cluster-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const etcd = opened.use(await startEtcd(kubernetesEtcd() ?? '', join(folder, 'etcd')));
  const kube = opened.use(await startKubeApiserver(join(folder, 'kube'), { etcd: etcd.url, args: kubeArgs }));
  const admin = await kube.kubeconfig('admin', ['system:masters']);

  const ports = await Promise.all(Array.from({ length: count }, () => freePort()));
  const [first = 0, ...others] = ports;
  const port = others.length === 0 ? first : opened.use(await startBalancer(ports)).port;
  const installed = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...installationRbac(namespace),
    ...registration(port),
  ];
  await apply(admin, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: installed }));
  const account = `system:serviceaccount:${namespace}:${installedAccounts.apiserver}`;
  const kubeconfig = await kube.kubeconfig(account, ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]);
  const replicaOn = async (own: number): Promise<Replica> => {
    const all = [
      ...['--kubeconfig', kubeconfig, '--storage', storage, '--listen', `127.0.0.1:${own}`, '--namespace', namespace],
      ...['--serving-secret', 'arc-apiserver-serving', '--shutdown-delay', '1s', ...args],
    ];
    const run = (node: readonly string[] = []): Program => startProgram('apiserver', all, { node });
    let running = run();
    opened.defer(() => running[Symbol.asyncDispose]());
    await running.says('the API is served');
    return {
      url: `https://127.0.0.1:${own}`,
      program: () => running,
      async start(node) {
        running = run(node);
        await running.says('the API is served');
      },
      launch: (node) => (running = run(node)),
    };
  };
  const replicas = [await replicaOn(first), ...(await Promise.all(others.map(replicaOn)))] as const;
  const parts = opened.move();
  return {
    ...{ kube, etcd },
    serverName: `${service.name}.${namespace}.svc`,
    replicas: [replicas[0], ...replicas.slice(1)],
    startControllers: () => parts.use(startKubeControllers(admin, kubeControllers)),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** A Service by name: the addresses of others must not be of loopback. Whom to trust is told by the server itself. */
function registration(port: number): readonly object[] {
  return [
    { apiVersion: 'v1', kind: 'Service', metadata: service, spec: { type: 'ExternalName', externalName: 'localhost' } },
    {
      ...{ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: `${arcVersion}.${arcGroup}` } },
      spec: {
        ...{ group: arcGroup, version: arcVersion, groupPriorityMinimum: 1000, versionPriority: 15 },
        service: { ...service, port },
      },
    },
  ];
}
