import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { artifactWorkflows, endpoints, orders } from '@arc/api/arc';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { workflows } from '@arc/api/argo';
import { pods, secrets } from '@arc/api/core';
import type { KubeObject } from '@arc/apimachinery';
import {
  buildImage,
  eventually,
  findKubectls,
  kubectlRunner,
  missingArgo,
  missingArgoDefinitions,
  missingKubernetes,
  seedRegistry,
  startTestRegistry,
} from '@arc/testkit';
import { startArgoScenario } from '../e2e/support/argo-scenario.ts';
import { namespace } from '../e2e/support/argo-world.ts';
import { processPods } from '../e2e/support/process-pods.ts';
import { createEndpoints, finishedOrder, installOciType, ociOrder } from '../e2e/support/world.ts';
import { startArgoCluster } from './support/argo-cluster.ts';

const kubectl = (await findKubectls()).at(-1);
const skip =
  kubectl === undefined
    ? 'no kubectl of 1.27 or newer on this machine'
    : (missingKubernetes('kube-apiserver', 'kube-controller-manager') ??
      missingArgo('workflow-controller') ??
      missingArgoDefinitions() ??
      false);

test(
  '7 an Order applied through a real kube-apiserver is delivered by a real Argo, and all that came of it goes with it',
  { skip },
  async () => {
    assert.ok(kubectl !== undefined);
    await using source = await startTestRegistry();
    await using destination = await startTestRegistry({ auth: { kind: 'basic', users: { robot: 'hunter2hunter2' } } });
    seedRegistry(source, 'demo/app', buildImage([{ 'etc/motd': 'hello' }], { single: true }), ['v1']);
    const folder = await mkdtemp(join(tmpdir(), 'arc-argo-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const running = stack.use(await processPods(folder));
    const scenario = stack.use(
      await startArgoScenario({ otherwise: running.script, startWorld: (parts) => startArgoCluster(kubectl, parts) }),
    );
    const { client } = scenario;
    await installOciType(client);
    const stringData = { username: 'robot', password: 'hunter2hunter2' };
    const login: KubeObject & { stringData: typeof stringData } = {
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login', namespace } },
      stringData,
    };
    await client.create(secrets, login);
    await createEndpoints(client, source.url, destination.url, namespace);
    await client.patch(endpoints, { namespace, name: 'dst' }, { spec: { secretRef: { name: 'login' } } });
    const input = JSON.stringify(ociOrder('brought', [{ image: 'demo/app:v1' }], namespace));
    const applied = await kubectlRunner(kubectl, scenario.kubeconfig)(['apply', '-f', '-'], { input });
    assert.equal(applied.code, 0, applied.stderr);

    const { status } = await finishedOrder(client, 'brought', namespace);
    const [run] = (await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace })).items;
    assert.equal(status?.phase, 'Succeeded', `${status?.message}\n${run?.status?.message}`);
    const digest = destination.content.manifest('demo/app', 'v1')?.digest;
    assert.equal(digest, source.content.manifest('demo/app', 'v1')?.digest);
    assert.ok(run?.status?.receipt?.includes(digest ?? 'nothing'), 'the receipt of the worker');
    assert.equal((await scenario.podsOf('brought')).length, 2);

    await client.delete(orders, { namespace, name: 'brought' });
    const gone = async (): Promise<boolean> => {
      const left = await Promise.all([orders, artifactWorkflows, workflows, pods].map((type) => client.list(type, { namespace })));
      return left.every(({ items }) => items.length === 0);
    };
    await eventually(gone, { what: 'everything to go', timeoutMs: 90_000 });
  },
);
