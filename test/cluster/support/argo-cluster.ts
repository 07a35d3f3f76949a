import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namespaces, serviceAccounts } from '@arc/api/core';
import { startControllers } from '@arc/controller';
import { clientConfigOf, createKubeClient, loadKubeconfig } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { argoDefinitions, kubectlRunner } from '@arc/testkit';
import type { Kubectl } from '@arc/testkit';
import { namespace } from '../../e2e/support/argo-world.ts';
import type { ArgoWorld } from '../../e2e/support/argo-world.ts';
import { startCluster } from '../../e2e/support/cluster.ts';
import { startControllerManager } from '../../e2e/support/controller-manager.ts';
import type { FakeKubelet } from '../../e2e/support/fake-kubelet.ts';

const controllerManager = 'system:serviceaccount:arc-system:arc-controller-manager';

/** A cluster of real programs with ARC's and Argo's kinds, where only the kubelet is none. */
export interface ArgoCluster extends ArgoWorld {
  /** Ends ARC's API server by kill -9 and starts it again. */
  restartApiServer(): Promise<void>;
  /** The same of the controller manager. */
  restartControllerManager(): Promise<void>;
}

/** @param storage of the ARC API, as `--storage` takes it */
export async function startArgoCluster(
  kubectl: Kubectl,
  { storage, kubelet }: { readonly storage: string; readonly kubelet: FakeKubelet | undefined },
): Promise<ArgoCluster> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'arc-argo-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const run = async (kubeconfig: string, args: readonly string[], input?: string): Promise<void> => {
    const result = await kubectlRunner(kubectl, kubeconfig)(args, input === undefined ? {} : { input });
    assert.equal(result.code, 0, `kubectl ${args.join(' ')}\n${result.stdout}${result.stderr}`);
  };
  const cluster = opened.use(await startCluster((kubeconfig, manifest) => run(kubeconfig, ['apply', '-f', '-'], manifest), { storage }));
  const kubeconfig = await cluster.kube.kubeconfig('admin', ['system:masters']);
  const admin = (...args: readonly string[]): Promise<void> => run(kubeconfig, args);
  const definitions = argoDefinitions().at(-1);
  assert.ok(definitions !== undefined);
  const files = (await readdir(definitions.minimal)).filter((file) => file.startsWith('argoproj.io_'));
  await admin('apply', '--server-side', ...files.flatMap((file) => ['-f', join(definitions.minimal, file)]));
  await admin('wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s');
  await admin('wait', '--for=condition=Available', 'apiservice/v1alpha1.arc.opendefense.cloud', '--timeout=60s');
  cluster.startControllers();

  const config = await clientConfigOf(await loadKubeconfig([{ path: kubeconfig, text: await readFile(kubeconfig, 'utf8') }]));
  const connect = (): KubeClient => opened.use(createKubeClient(config, { userAgent: 'test' }));
  const client = connect();
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  // Another controller makes them elsewhere.
  await client.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
  const rights = await cluster.kube.kubeconfig(controllerManager, ['system:serviceaccounts', 'system:serviceaccounts:arc-system']);
  const startManager = async (): Promise<ReturnType<typeof startControllerManager>> => {
    const started = startControllerManager(rights, ['--leader-elect=false']);
    await started.leads();
    return started;
  };
  let manager = await startManager();
  opened.defer(async () => void (await manager.stop()));
  if (kubelet !== undefined) await opened.use(startControllers([kubelet.controller(connect())])).ready;
  const all = opened.move();
  return {
    ...{ folder, client, kubeconfig },
    async restartApiServer() {
      const [replica] = cluster.replicas;
      await replica.program().stop('SIGKILL');
      await replica.start();
    },
    async restartControllerManager() {
      await manager.stop('SIGKILL');
      manager = await startManager();
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
