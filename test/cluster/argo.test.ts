import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { artifactWorkflows, endpoints, orders } from '@arc/api/arc';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { workflows } from '@arc/api/argo';
import { pods, secrets } from '@arc/api/core';
import type { KubeObject } from '@arc/apimachinery';
import { migratePostgres } from '@arc/storage-postgres';
import {
  buildImage,
  eventually,
  findKubectls,
  kubectlRunner,
  kubernetesEtcd,
  missingArgo,
  missingArgoDefinitions,
  missingKubernetes,
  missingPostgres,
  seedRegistry,
  startEtcd,
  startPostgres,
  startTestRegistry,
} from '@arc/testkit';
import { startArgoScenario } from '../e2e/support/argo-scenario.ts';
import { namespace } from '../e2e/support/argo-world.ts';
import { processPods } from '../e2e/support/process-pods.ts';
import { createEndpoints, finishedOrder, installOciType, ociOrder } from '../e2e/support/world.ts';
import { startArgoCluster } from './support/argo-cluster.ts';
import type { ArgoCluster } from './support/argo-cluster.ts';

const kubectl = (await findKubectls()).at(-1);
const skip =
  kubectl === undefined
    ? 'no kubectl of 1.27 or newer on this machine'
    : (missingKubernetes('kube-apiserver', 'kube-controller-manager') ??
      missingArgo('workflow-controller') ??
      missingArgoDefinitions() ??
      false);

interface Database extends AsyncDisposable {
  /** As `--storage` takes it. */
  readonly url: string;
  /** Ends it by kill -9 and starts it again. */
  restart(): Promise<void>;
}

async function startOwnEtcd(folder: string): Promise<Database> {
  const etcd = await startEtcd(kubernetesEtcd() ?? '', join(folder, 'etcd'));
  return {
    url: `etcd://${etcd.host}`,
    restart: async () => {
      await etcd.kill();
      await etcd.start();
    },
    [Symbol.asyncDispose]: () => etcd[Symbol.asyncDispose](),
  };
}

async function startOwnPostgres(): Promise<Database> {
  const postgres = await startPostgres();
  await postgres.createDatabase('arc');
  const url = postgres.url('arc');
  await migratePostgres({ url });
  return {
    url,
    restart: async () => {
      await postgres.stop('kill');
      await postgres.start();
    },
    [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
  };
}

const databases = [
  { name: 'etcd', start: startOwnEtcd, skip },
  { name: 'PostgreSQL', start: startOwnPostgres, skip: skip === false ? (missingPostgres() ?? false) : skip },
] as const;

for (const { name, start, skip } of databases) {
  const title = `7 Orders are delivered by kube-apiserver, ARC on ${name} and Argo, whichever of ARC, Argo and ${name} is killed, and go with all they led to`;
  test(title, { skip }, async (t) => {
    assert.ok(kubectl !== undefined);
    await using source = await startTestRegistry();
    await using destination = await startTestRegistry({ auth: { kind: 'basic', users: { robot: 'hunter2hunter2' } } });
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'arc-argo-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const database = stack.use(await start(folder));
    const running = stack.use(await processPods(folder));
    const made: ArgoCluster[] = [];
    const startWorld: NonNullable<Parameters<typeof startArgoScenario>[0]>['startWorld'] = async ({ kubelet }) => {
      const cluster = await startArgoCluster(kubectl, { storage: database.url, kubelet });
      made.push(cluster);
      return cluster;
    };
    const scenario = stack.use(await startArgoScenario({ otherwise: running.script, startWorld }));
    const { client, argo } = scenario;
    await installOciType(client);
    const stringData = { username: 'robot', password: 'hunter2hunter2' };
    const login: KubeObject & { stringData: typeof stringData } = {
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login', namespace } },
      stringData,
    };
    await client.create(secrets, login);
    await createEndpoints(client, source.url, destination.url, namespace);
    await client.patch(endpoints, { namespace, name: 'dst' }, { spec: { secretRef: { name: 'login' } } });

    const victims: Readonly<Record<string, () => Promise<void>>> = {
      nobody: () => Promise.resolve(),
      argo: async () => {
        await argo.kill();
        await argo.start();
      },
      server: async () => await made[0]?.restartApiServer(),
      manager: async () => await made[0]?.restartControllerManager(),
      database: () => database.restart(),
    };
    for (const [victim, killAndStart] of Object.entries(victims)) {
      const image = buildImage([{ [`etc/${victim}`]: 'hello' }], { single: true });
      seedRegistry(source, `demo/${victim}`, image, ['v1']);
      const input = JSON.stringify(ociOrder(victim, [{ image: `demo/${victim}:v1` }], namespace));
      const applied = await kubectlRunner(kubectl, scenario.kubeconfig)(['apply', '-f', '-'], { input });
      assert.equal(applied.code, 0, applied.stderr);
      // From before its Workflow is made until its last step runs.
      const afterMs = randomInt(2000);
      t.diagnostic(`${victim} is killed after ${afterMs} ms`);
      await delay(afterMs);
      await killAndStart();
      const { status } = await finishedOrder(client, victim, namespace);
      const { items } = await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace });
      const run = items.find(({ metadata }) => metadata.ownerReferences?.[0]?.name === victim);
      assert.equal(status?.phase, 'Succeeded', `${victim}: ${status?.message}\n${run?.status?.message}`);
      const digest = destination.content.manifest(`demo/${victim}`, 'v1')?.digest;
      assert.equal(digest, source.content.manifest(`demo/${victim}`, 'v1')?.digest);
      assert.ok(run?.status?.receipt?.includes(digest ?? 'nothing'), 'the receipt of the worker');
      assert.equal((await scenario.podsOf(victim)).length, 2, 'no step twice');
    }

    const deleted = await kubectlRunner(kubectl, scenario.kubeconfig)(['delete', 'orders', '--all', '-n', namespace]);
    assert.equal(deleted.code, 0, deleted.stderr);
    const gone = async (): Promise<boolean> => {
      const left = await Promise.all([orders, artifactWorkflows, workflows, pods].map((type) => client.list(type, { namespace })));
      return left.every(({ items }) => items.length === 0);
    };
    await eventually(gone, { what: 'everything to go', timeoutMs: 90_000 });
  });
}
