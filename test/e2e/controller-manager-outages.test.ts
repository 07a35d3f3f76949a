import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { arcKindsWithin, artifactWorkflows, orders } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { workflows } from '@arc/api/argo';
import { leases } from '@arc/api/core';
import type { Lease } from '@arc/api/core';
import { clusterRoles } from '@arc/api/rbac';
import type { ClusterRole } from '@arc/api/rbac';
import { createMemoryStore } from '@arc/storage';
import { eventually } from '@arc/testkit';
import { startControllerManager } from './support/controller-manager.ts';
import { startStandInCluster } from './support/stand-in-cluster.ts';
import { account, order, phaseOf, supply, tenant } from './support/supply.ts';

const leaseRef = { namespace: 'arc-system', name: 'arc.opendefense.cloud' };
/** 15 s until a lease runs out, and the time until the next look at it. */
const failoverMs = 20_000;

test('of two controller managers one works; when it is killed the other does within 20 s, and nothing is done twice', async () => {
  await using cluster = await startStandInCluster({ script: ({ args: [image = ''] }) => (image.startsWith('slow') ? undefined : {}) });
  await cluster.install(tenant);
  const kubeconfig = await cluster.kubeconfig(account);
  await using first = startControllerManager(kubeconfig);
  await first.leads();
  await using second = startControllerManager(kubeconfig);
  await second.ready();
  await supply(cluster);
  const names = ['a', 'b', 'c'];
  for (const name of names) await cluster.client.create(orders, order(name, ['slow', 'good', 'good-too']));
  // In the middle of it: some runs have ended, some are under way, and others are being made.
  await eventually(() => cluster.runner.running().length > 0, { what: 'the first step' });
  await first.stop('SIGKILL');
  const killedAt = Date.now();
  await cluster.client.create(orders, order('later', ['good']));
  await phaseOf(cluster, 'later', 'Succeeded');
  const taken = await cluster.client.get<Lease>(leases, leaseRef);
  const afterMs = Date.parse(taken.spec?.acquireTime ?? '') - killedAt;
  assert.ok(afterMs < failoverMs, `the other one led ${afterMs} ms after the first was killed`);
  await second.leads();
  await eventually(() => cluster.runner.running().length === names.length, { what: 'the slow steps' });
  for (const { nodeName } of cluster.runner.running()) cluster.runner.end(nodeName);
  for (const name of names) await phaseOf(cluster, name, 'Succeeded');
  assert.equal((await cluster.client.list(workflows, { namespace: tenant })).items.length, 3 * names.length + 1);
  assert.equal((await cluster.client.list(artifactWorkflows, { namespace: tenant })).items.length, 3 * names.length + 1);
  assert.deepEqual(cluster.runner.host.starts.length, new Set(cluster.runner.host.starts).size);
  assert.equal(cluster.runner.host.starts.length, 3 * names.length + 1, 'every step ran once');
  const created = cluster.requests.filter(({ verb, resource, code }) => verb === 'create' && resource === 'workflows' && code === 201);
  assert.equal(created.length, 3 * names.length + 1, 'no Workflow was made, deleted and made again');

  assert.equal(await second.stop(), 0);
  const lease = await cluster.client.get<Lease>(leases, leaseRef);
  assert.deepEqual([lease.spec?.holderIdentity, lease.spec?.leaseTransitions], ['', 1], 'it let go of the lease');
});

test('what is missing is said in log and readyz, by name and with what to do, and begun with when it is there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'arc-missing-'));
  await using store = createMemoryStore();
  try {
    const keep = { folder, store };
    // No Argo: what a cluster has before its CustomResourceDefinitions are installed.
    const bare = await startStandInCluster({ keep, kinds: arcKindsWithin({}) });
    const port = Number(new URL(bare.url).port);
    const kubeconfig = await bare.kubeconfig(account);
    await using manager = startControllerManager(kubeconfig);
    await using stopping = new AsyncDisposableStack();
    stopping.defer(() => bare[Symbol.asyncDispose]());
    await eventually(async () => (await manager.health('/readyz')).includes('does not serve argoproj.io/v1alpha1'), {
      what: 'what is missing',
    });
    assert.match(
      await manager.health('/readyz'),
      /^500 \[\+\]ping ok\n\[-\]requirements failed: https:\/\/127\.0\.0\.1:\d+ does not serve/,
    );
    assert.equal(await manager.health('/healthz'), '200 ok', 'it is not to be killed for it');
    assert.match(manager.output(), /"code":"ApiMissing".*"hint":"Install Argo Workflows 3\.7 or newer/);
    await stopping.disposeAsync();

    await using cluster = await startStandInCluster({ keep, port, script: () => ({}) });
    await eventually(async () => (await manager.health('/readyz')).includes('this user may not'), { what: 'the missing rights' });
    assert.match(manager.output(), /"code":"RightsMissing".*"hint":"Apply deploy\/rbac\.yaml/);
    await cluster.install(tenant);
    await manager.ready();
    assert.match(manager.output(), /the rights of the controllers: mended/);
    await supply(cluster);
    await cluster.client.create<Order>(orders, order('o', ['good']));
    await phaseOf(cluster, 'o', 'Succeeded');

    // Rights that are lost while it works are named in the log, and it goes on when they are back.
    const role = await cluster.client.get<ClusterRole>(clusterRoles, { name: 'arc-controller-manager' });
    await cluster.client.patch(clusterRoles, { name: 'arc-controller-manager' }, { rules: [] });
    await cluster.client.create<Order>(orders, order('p', ['good']));
    await eventually(() => /is forbidden: User .* cannot patch resource/.test(manager.output()), { what: 'the refusal in the log' });
    await cluster.client.patch(clusterRoles, { name: 'arc-controller-manager' }, { rules: role.rules });
    await phaseOf(cluster, 'p', 'Succeeded');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
