import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { namespaces, serviceAccounts } from '@arc/api/core';
import { clientConfigOf, createKubeClient, loadKubeconfig } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { argoDefinitions, kubectlRunner } from '@arc/testkit';
import type { Kubectl } from '@arc/testkit';
import { namespace, startArc } from '../../e2e/support/argo-world.ts';
import type { ArgoWorld, ArgoWorldOptions } from '../../e2e/support/argo-world.ts';
import { startCluster } from '../../e2e/support/cluster.ts';

const rbac = fileURLToPath(new URL('../../../deploy/rbac.yaml', import.meta.url));
const controllerManager = 'system:serviceaccount:arc-system:arc-controller-manager';

/** A cluster with ARC's API behind its aggregation layer and Argo's definitions; ARC's controllers have the rights `deploy/` gives them. */
export async function startArgoCluster(kubectl: Kubectl, parts: Pick<ArgoWorldOptions, 'kubelet' | 'handOver'>): Promise<ArgoWorld> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'arc-argo-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const run = async (kubeconfig: string, args: readonly string[], input?: string): Promise<string> => {
    const result = await kubectlRunner(kubectl, kubeconfig)(args, input === undefined ? {} : { input });
    assert.equal(result.code, 0, `kubectl ${args.join(' ')}\n${result.stdout}${result.stderr}`);
    return result.stdout;
  };
  const cluster = opened.use(
    await startCluster(async (kubeconfig, manifest) => void (await run(kubeconfig, ['apply', '-f', '-'], manifest))),
  );
  const kubeconfig = await cluster.kube.kubeconfig('admin', ['system:masters']);
  const admin = (...args: readonly string[]): Promise<string> => run(kubeconfig, args);
  const definitions = argoDefinitions().at(-1);
  assert.ok(definitions !== undefined);
  const files = (await readdir(definitions.minimal)).filter((file) => file.startsWith('argoproj.io_'));
  await admin('apply', '--server-side', '-f', rbac, ...files.flatMap((file) => ['-f', join(definitions.minimal, file)]));
  await admin('wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s');
  await admin('wait', '--for=condition=Available', 'apiservice/v1alpha1.arc.opendefense.cloud', '--timeout=60s');
  cluster.startControllers();

  const connect = async (user: string, groups: readonly string[]): Promise<KubeClient> => {
    const file = await cluster.kube.kubeconfig(user, groups);
    const config = await clientConfigOf(await loadKubeconfig([{ path: file, text: await readFile(file, 'utf8') }]));
    return opened.use(createKubeClient(config, { userAgent: user }));
  };
  const client = await connect('admin', ['system:masters']);
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  // Another controller makes them elsewhere.
  await client.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
  const arc = await connect(controllerManager, ['system:serviceaccounts', 'system:serviceaccounts:arc-system']);
  opened.use(await startArc({ arc, kubelet: await connect('kubelet', ['system:masters']) }, parts));
  const all = opened.move();
  return { folder, client, kubeconfig, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
