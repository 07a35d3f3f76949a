import assert from 'node:assert/strict';
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
import type { KubeClient } from '@arc/kube-client';
import { migratePostgres } from '@arc/storage-postgres';
import {
  buildImage,
  eventually,
  findArgoProgram,
  findKubectls,
  kubectlRunner,
  kubernetesEtcd,
  missingArgo,
  missingArgoDefinitions,
  missingKubernetes,
  missingPostgres,
  runCommand,
  seedRegistry,
  startEtcd,
  startPostgres,
  startTestRegistry,
} from '@arc/testkit';
import type { RunOptions } from '@arc/testkit';
import { startArgoScenario } from '../e2e/support/argo-scenario.ts';
import { namespace } from '../e2e/support/argo-world.ts';
import { processPods } from '../e2e/support/process-pods.ts';
import { createEndpoints, finishedOrder, installOciType, ociOrder } from '../e2e/support/world.ts';
import { randomNumbers, seed } from '../faults/support/random.ts';
import { startArgoCluster } from './support/argo-cluster.ts';
import type { ArgoCluster, Victim } from './support/argo-cluster.ts';

const kubectl = (await findKubectls()).at(-1);
const skip =
  kubectl === undefined
    ? 'no kubectl of 1.27 or newer on this machine'
    : (missingKubernetes('kube-apiserver', 'kube-controller-manager') ??
      missingArgo('workflow-controller', 'argo') ??
      missingArgoDefinitions() ??
      false);

interface Database extends Victim, AsyncDisposable {
  /** As `--storage` takes it. */
  readonly url: string;
}

async function startOwnEtcd(folder: string): Promise<Database> {
  const etcd = await startEtcd(kubernetesEtcd() ?? '', join(folder, 'etcd'));
  return {
    url: `etcd://${etcd.host}`,
    ...{ kill: () => etcd.kill(), start: () => etcd.start() },
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
    ...{ kill: () => postgres.stop('kill'), start: () => postgres.start() },
    [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
  };
}

const databases = [
  { name: 'etcd', start: startOwnEtcd, skip },
  { name: 'PostgreSQL', start: startOwnPostgres, skip: skip === false ? (missingPostgres() ?? false) : skip },
] as const;

for (const { name, start, skip } of databases) {
  const title = `7 Orders are delivered by kube-apiserver, ARC on ${name} and Argo, whichever process is killed at whatever point, and go with all they led to (FAULT_SEED=${seed})`;
  test(title, { skip, timeout: 280_000 }, async (t) => {
    assert.ok(kubectl !== undefined);
    const random = randomNumbers(name === 'etcd' ? 1 : 2);
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
    const [cluster] = made;
    assert.ok(cluster !== undefined);
    const kube = async (args: readonly string[], options: RunOptions = {}): Promise<string> => {
      const result = await kubectlRunner(kubectl, scenario.kubeconfig)(args, options);
      assert.equal(result.code, 0, result.stderr);
      return result.stdout;
    };
    await installOciType(client);
    const stringData = { username: 'robot', password: 'hunter2hunter2' };
    const login: KubeObject & { stringData: typeof stringData } = {
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login', namespace } },
      stringData,
    };
    await client.create(secrets, login);
    await createEndpoints(client, source.url, destination.url, namespace);
    await client.patch(endpoints, { namespace, name: 'dst' }, { spec: { secretRef: { name: 'login' } } });

    const delivered = async (order: string): Promise<void> => {
      const { status } = await finishedOrder(client, order, namespace, 90_000).catch(async (cause: unknown) => {
        throw new Error(`${order} has not ended; there is\n${await standing(client)}`, { cause });
      });
      const { items } = await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace });
      const run = items.find(({ metadata }) => metadata.ownerReferences?.[0]?.name === order);
      assert.equal(status?.phase, 'Succeeded', `${order}: ${status?.message}\n${run?.status?.message}`);
      const digest = destination.content.manifest(`demo/${order}`, 'v1')?.digest;
      assert.equal(digest, source.content.manifest(`demo/${order}`, 'v1')?.digest);
      assert.ok(run?.status?.receipt?.includes(digest ?? 'nothing'), 'the receipt of the worker');
      assert.equal((await scenario.podsOf(order)).length, 2, 'the pods of both steps');
    };

    const victims: Readonly<Record<string, Victim>> = { ...cluster.victims, 'workflow-controller': argo, [`${name} of ARC`]: database };
    let before: string | undefined;
    for (const victim of shuffled(Object.keys(victims), random)) {
      const order = victim.toLowerCase().replaceAll(/[^a-z]/g, '');
      seedRegistry(source, `demo/${order}`, buildImage([{ [`etc/${order}`]: 'hello' }], { single: true }), ['v1']);
      await kube(['apply', '-f', '-'], { input: JSON.stringify(ociOrder(order, [{ image: `demo/${order}:v1` }], namespace)) });
      // What it led to is collected whoever is killed meanwhile.
      if (before !== undefined) await kube(['delete', 'order', before, '-n', namespace, '--wait=false']);
      before = order;
      // From before its Workflow is made until its last step has run.
      const [afterMs, downMs] = [random(3000), random(1500)];
      t.diagnostic(`${victim} is killed after ${afterMs} ms for ${downMs} ms, FAULT_SEED=${seed}`);
      await delay(afterMs);
      await victims[victim]?.kill();
      if (victim === 'arc-controller-manager') await leadIsTakenOver(cluster);
      else await delay(downMs);
      await victims[victim]?.start();
      await delivered(order);
    }
    const created = await cluster.created();
    // An answer that is lost with the server is in no log.
    assert.ok(created.size >= 2 * Object.keys(victims).length, `${created.size} Workflows and pods in the log`);
    const doubled = [...created].filter(([, times]) => times > 1);
    assert.deepEqual(doubled, [], 'no Workflow and no step of one that is there is made twice');

    const listed = await runCommand(findArgoProgram('argo') ?? '', ['list', '-n', namespace, '--kubeconfig', scenario.kubeconfig]);
    assert.match(listed.stdout, new RegExp(`^${before}-\\S+ +Succeeded `, 'm'), listed.stderr);

    await kube(['delete', 'orders', '--all', '-n', namespace]);
    const left = async (): Promise<readonly string[]> => {
      const lists = await Promise.all([orders, artifactWorkflows, workflows, pods].map((type) => client.list(type, { namespace })));
      return lists.flatMap(({ items }) => items.map(({ metadata }) => metadata.name ?? ''));
    };
    await eventually(async () => (await left()).length === 0, { what: 'everything to go', timeoutMs: 90_000 });

    // A namespace goes with an Order under way.
    seedRegistry(source, 'demo/last', buildImage([{ 'etc/last': 'hello' }], { single: true }), ['v1']);
    await scenario.order('last', () => undefined);
    await eventually(async () => (await scenario.podsOf('last')).length > 0, { what: 'a pod' });
    await kube(['delete', 'namespace', namespace, '--timeout=60s']);
    assert.deepEqual(await left(), []);
  });
}

/** The statuses of all Orders and of what they led to. */
async function standing(client: KubeClient): Promise<string> {
  const lists = await Promise.all(
    [orders, artifactWorkflows, workflows, pods].map((type) =>
      client.list<KubeObject & { readonly status?: unknown }>(type, { namespace }),
    ),
  );
  return lists
    .flatMap(({ items }) => items)
    .map(({ kind, metadata: { name, deletionTimestamp = '' }, status }) => `${kind} ${name} ${deletionTimestamp} ${JSON.stringify(status)}`)
    .join('\n');
}

/** Another leads within 20 s of the last renewal of who is dead, by what both have written. */
async function leadIsTakenOver(cluster: ArgoCluster): Promise<void> {
  const dead = await cluster.lease();
  const next = await eventually(
    async () => {
      const lease = await cluster.lease();
      return lease.holderIdentity !== dead.holderIdentity && lease;
    },
    { what: 'another leader', timeoutMs: 40_000 },
  );
  const ms = Date.parse(next.acquireTime ?? '') - Date.parse(dead.renewTime ?? '');
  assert.ok(ms <= 20_000, `another leads ${ms} ms after the last renewal`);
  assert.equal(next.leaseTransitions, (dead.leaseTransitions ?? 0) + 1);
}

function shuffled<T>(items: readonly T[], random: (limit: number) => number): readonly T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = random(last + 1);
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
}
