import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arcGroup, arcKinds, arcVersion } from '@arc/api/arc';
import { connectToCluster } from '@arc/aggregated';
import { createApiServer } from '@arc/apiserver';
import { clientConfigOf, createKubeClient, loadKubeconfig } from '@arc/kube-client';
import { createAuthority, issueServerCertificate } from '@arc/pki';
import { createMemoryStore } from '@arc/storage';
import { kubernetesEtcd, startEtcd, startKubeApiserver, startKubeControllers, type KubeApiserver } from '@arc/testkit';

const service = { name: 'arc', namespace: 'arc-system' } as const;
const serverUser = 'arc-apiserver';

/** A cluster of an etcd, a kube-apiserver and a few of its controllers, with the ARC API behind it. */
export interface Cluster extends AsyncDisposable {
  readonly kube: KubeApiserver;
  /** Where the ARC API itself listens. */
  readonly extension: { readonly url: string; readonly caPem: string };
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

  const authority = createAuthority({ commonName: 'arc' });
  const names = [`${service.name}.${service.namespace}.svc`, 'localhost'];
  const serving = issueServerCertificate(authority, { names, addresses: ['127.0.0.1'] });
  await apply(admin, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: rights }));
  const kubeconfig = await kube.kubeconfig(serverUser);
  const config = await clientConfigOf(await loadKubeconfig([{ path: kubeconfig, text: await readFile(kubeconfig, 'utf8') }]));
  const client = opened.use(createKubeClient(config, { userAgent: 'arc-apiserver' }));
  const access = opened.use(await connectToCluster(client));
  const store = opened.use(createMemoryStore());
  const api = opened.use(
    await createApiServer({
      kinds: arcKinds,
      store,
      access,
      readyChecks: access.readyChecks,
      tls: { cert: serving.certPem, key: serving.keyPem },
    }),
  );
  await api.ready;
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 });
  await apply(admin, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: registration(port, authority.certPem) }));
  const parts = opened.move();
  return {
    kube,
    startControllers: () => void parts.use(startKubeControllers(admin, ['namespace-controller', 'garbage-collector-controller'])),
    extension: { url: `https://127.0.0.1:${port}`, caPem: authority.certPem },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

const rbac = 'rbac.authorization.k8s.io';
const subjects = [{ apiGroup: rbac, kind: 'User', name: serverUser }];

/** What a server behind the aggregation layer needs: whom to believe, whom to ask, and the namespaces. */
const rights: readonly object[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: service.namespace } },
  {
    ...{ apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata: { name: serverUser, namespace: 'kube-system' } },
    ...{ roleRef: { apiGroup: rbac, kind: 'Role', name: 'extension-apiserver-authentication-reader' }, subjects },
  },
  {
    ...{ apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata: { name: 'arc-delegator' } },
    ...{ roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'system:auth-delegator' }, subjects },
  },
  {
    ...{ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name: 'arc-namespaces' } },
    rules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch'] }],
  },
  {
    ...{ apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata: { name: 'arc-namespaces' } },
    ...{ roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'arc-namespaces' }, subjects },
  },
];

/** A Service by name: the addresses of others must not be of loopback. */
function registration(port: number, caPem: string): readonly object[] {
  return [
    { apiVersion: 'v1', kind: 'Service', metadata: service, spec: { type: 'ExternalName', externalName: 'localhost' } },
    {
      ...{ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: `${arcVersion}.${arcGroup}` } },
      spec: {
        ...{ group: arcGroup, version: arcVersion, groupPriorityMinimum: 1000, versionPriority: 15 },
        service: { ...service, port },
        caBundle: Buffer.from(caPem).toString('base64'),
      },
    },
  ];
}
