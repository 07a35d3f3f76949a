import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leases, namespaces, serviceAccounts } from '@arc/api/core';
import type { Lease } from '@arc/api/core';
import { startControllers } from '@arc/controller';
import { clientConfigOf, createKubeClient, loadKubeconfig } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { argoDefinitions, kubectlRunner } from '@arc/testkit';
import type { Kubectl } from '@arc/testkit';
import { namespace } from '../../e2e/support/argo-world.ts';
import type { ArgoWorld } from '../../e2e/support/argo-world.ts';
import { startCluster } from '../../e2e/support/cluster.ts';
import { startControllerManager } from '../../e2e/support/controller-manager.ts';
import type { ControllerManager } from '../../e2e/support/controller-manager.ts';
import type { FakeKubelet } from '../../e2e/support/fake-kubelet.ts';

const controllerManager = 'system:serviceaccount:arc-system:arc-controller-manager';

/** A program that can be ended by kill -9, and started again over the same data. */
export interface Victim {
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** A cluster of real programs with ARC's and Argo's kinds, where only the kubelet is none. */
export interface ArgoCluster extends ArgoWorld {
  readonly victims: Readonly<
    Record<'kube-apiserver' | 'etcd of kube-apiserver' | 'kube-controller-manager' | 'arc-apiserver' | 'arc-controller-manager', Victim>
  >;
  /** The Lease of ARC's controller managers, of which there are two. */
  lease(): Promise<NonNullable<Lease['spec']>>;
  /**
   * How often kube-apiserver has said that it created this Workflow or pod, by `resource/name`. Not counted is what Argo made for a Workflow
   * that was gone: one that lost its watch with the etcd of kube-apiserver made a pod 50 times, and the garbage collector took it away as often.
   */
  created(): Promise<ReadonlyMap<string, number>>;
}

/** kube-apiserver writes it before it answers. */
const auditPolicy = {
  ...{ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'] },
  rules: [
    {
      ...{ level: 'Metadata', verbs: ['create'] },
      resources: [
        { group: 'argoproj.io', resources: ['workflows'] },
        { group: '', resources: ['pods'] },
      ],
    },
    { level: 'Metadata', verbs: ['delete'], resources: [{ group: 'argoproj.io', resources: ['workflows'] }] },
    { level: 'None' },
  ],
};

/** @param storage of the ARC API, as `--storage` takes it */
export async function startArgoCluster(
  kubectl: Kubectl,
  { storage, kubelet }: { readonly storage: string; readonly kubelet: FakeKubelet | undefined },
): Promise<ArgoCluster> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'arc-argo-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const [policy, auditLog] = [join(folder, 'policy.json'), join(folder, 'audit.log')];
  await writeFile(policy, JSON.stringify(auditPolicy));
  const run = async (kubeconfig: string, args: readonly string[], input?: string): Promise<void> => {
    const result = await kubectlRunner(kubectl, kubeconfig)(args, input === undefined ? {} : { input });
    assert.equal(result.code, 0, `kubectl ${args.join(' ')}\n${result.stdout}${result.stderr}`);
  };
  const kubeArgs = [
    // As OpenShift has it: who makes what blocks the deletion of an owner has to have a right to the finalizers of that.
    '--enable-admission-plugins=OwnerReferencesPermissionEnforcement',
    ...[`--audit-policy-file=${policy}`, `--audit-log-path=${auditLog}`],
  ];
  const cluster = opened.use(
    await startCluster((kubeconfig, manifest) => run(kubeconfig, ['apply', '-f', '-'], manifest), { storage, kubeArgs }),
  );
  const kubeconfig = await cluster.kube.kubeconfig('admin', ['system:masters']);
  const admin = (...args: readonly string[]): Promise<void> => run(kubeconfig, args);
  const definitions = argoDefinitions().at(-1);
  assert.ok(definitions !== undefined);
  const files = (await readdir(definitions.minimal)).filter((file) => file.startsWith('argoproj.io_'));
  await admin('apply', '--server-side', ...files.flatMap((file) => ['-f', join(definitions.minimal, file)]));
  await admin('wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s');
  await admin('wait', '--for=condition=Available', 'apiservice/v1alpha1.arc.opendefense.cloud', '--timeout=60s');
  const kubeControllers = cluster.startControllers();

  const config = await clientConfigOf(await loadKubeconfig([{ path: kubeconfig, text: await readFile(kubeconfig, 'utf8') }]));
  const connect = (): KubeClient => opened.use(createKubeClient(config, { userAgent: 'test' }));
  const client = connect();
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  // Another controller makes them elsewhere.
  await client.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
  const rights = await cluster.kube.kubeconfig(controllerManager, ['system:serviceaccounts', 'system:serviceaccounts:arc-system']);
  const lease = async (): Promise<NonNullable<Lease['spec']>> =>
    (await client.get<Lease>(leases, { namespace: 'arc-system', name: 'arc.opendefense.cloud' })).spec ?? {};
  const managers = opened.use(await startManagers(rights, lease));
  if (kubelet !== undefined) await opened.use(startControllers([kubelet.controller(connect())])).ready;
  const [replica] = cluster.replicas;
  const all = opened.move();
  return {
    ...{ folder, client, kubeconfig, lease },
    victims: {
      'kube-apiserver': cluster.kube,
      'etcd of kube-apiserver': cluster.etcd,
      'kube-controller-manager': { kill: kubeControllers.kill, start: () => Promise.resolve(kubeControllers.start()) },
      'arc-apiserver': { kill: async () => void (await replica.program().stop('SIGKILL')), start: () => replica.start() },
      'arc-controller-manager': managers,
    },
    async created() {
      const counts = new Map<string, number>();
      const gone: string[] = [];
      for (const line of (await readFile(auditLog, 'utf8')).split('\n').filter((each) => each !== '')) {
        const { verb, objectRef, responseStatus } = JSON.parse(line) as AuditEvent;
        if (verb === 'delete' && responseStatus?.code === 200) gone.push(objectRef.name);
        if (responseStatus?.code !== 201 || gone.some((workflow) => objectRef.name.startsWith(`${workflow}-`))) continue;
        const what = `${objectRef.resource}/${objectRef.name}`;
        counts.set(what, (counts.get(what) ?? 0) + 1);
      }
      return counts;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

interface AuditEvent {
  readonly verb: string;
  readonly objectRef: { readonly resource: string; readonly name: string };
  readonly responseStatus?: { readonly code: number };
}

/** Two controller managers: `kill` ends the one that leads, `start` puts another beside the one that is left. */
async function startManagers(kubeconfig: string, lease: () => Promise<NonNullable<Lease['spec']>>): Promise<Victim & AsyncDisposable> {
  let managers: readonly ControllerManager[] = [];
  const start = async (): Promise<void> => {
    const manager = startControllerManager(kubeconfig);
    managers = [...managers, manager];
    await manager.ready();
  };
  await start();
  await start();
  return {
    start,
    async kill() {
      const { holderIdentity } = await lease();
      const leader = managers.find((manager) => manager.output().includes(`"identity":"${holderIdentity}"`));
      assert.ok(leader !== undefined, `${holderIdentity} leads, which is none of ours`);
      managers = managers.filter((manager) => manager !== leader);
      await leader.stop('SIGKILL');
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(managers.map((manager) => manager.stop()));
    },
  };
}
