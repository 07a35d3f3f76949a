import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arcGroup, arcVersion } from '@arc/api/arc';
import { installationRbac, installedAccounts } from '@arc/api/rbac';
import { freePort, kubernetesEtcd, startEtcd, startKubeApiserver, startKubeControllers, type KubeApiserver } from '@arc/testkit';
import { startProgram, type Program } from './program.ts';

const namespace = 'arc-system';
/** By which the aggregation layer dials the server, and checks its certificate. */
const service = { name: installedAccounts.apiserver, namespace } as const;

/** A cluster of an etcd, a kube-apiserver and a few of its controllers, with `arc-apiserver` behind it, which may what it needs only. */
export interface Cluster extends AsyncDisposable {
  readonly kube: KubeApiserver;
  /** Where the ARC API itself listens, with a certificate for this name. */
  readonly extension: { readonly url: string; readonly serverName: string; readonly program: Program };
  /** Starts those of namespaces and garbage, which look only twice a minute for kinds that are new. */
  startControllers(): void;
}

/**
 * @param apply puts a manifest into the cluster as its administrator, whose kubeconfig is given
 */
export async function startCluster(apply: (kubeconfig: string, manifest: string) => Promise<void>): Promise<Cluster> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'arc-cluster-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const etcd = opened.use(await startEtcd(kubernetesEtcd() ?? '', join(folder, 'etcd')));
  const kube = opened.use(await startKubeApiserver(join(folder, 'kube'), { etcd: etcd.url }));
  const admin = await kube.kubeconfig('admin', ['system:masters']);

  const port = await freePort();
  const installed = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...installationRbac(namespace),
    ...registration(port),
  ];
  await apply(admin, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: installed }));
  const account = `system:serviceaccount:${namespace}:${installedAccounts.apiserver}`;
  const program = opened.use(
    startProgram('apiserver', [
      ...['--kubeconfig', await kube.kubeconfig(account, ['system:serviceaccounts', `system:serviceaccounts:${namespace}`])],
      ...['--storage', 'memory:', '--listen', `127.0.0.1:${port}`, '--namespace', namespace, '--serving-secret', 'arc-apiserver-serving'],
    ]),
  );
  await program.says('the API is served');
  const parts = opened.move();
  return {
    kube,
    startControllers: () => void parts.use(startKubeControllers(admin, ['namespace-controller', 'garbage-collector-controller'])),
    extension: { url: `https://127.0.0.1:${port}`, serverName: `${service.name}.${namespace}.svc`, program },
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
