import assert from 'node:assert/strict';
import { test } from 'node:test';
import { artifactWorkflows, orders } from '@arc/api/arc';
import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import type { KubeClient } from '@arc/kube-client';
import { buildImage, eventually, seedRegistry, startTestRegistry } from '@arc/testkit';
import { createEndpoints, finishedOrder, installOciType, ociOrder, startWorld } from './support/world.ts';

const ref = { namespace: 'default', name: 'o' };

async function when(client: KubeClient, what: string, holds: (order: Order) => boolean): Promise<Order> {
  return await eventually(
    async () => {
      const order = await client.get<Order>(orders, ref);
      return holds(order) ? order : undefined;
    },
    { what, timeoutMs: 60_000 },
  );
}

async function runs(client: KubeClient): Promise<ArtifactWorkflow[]> {
  return (await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace: 'default' })).items;
}

test('an order is suspended, run dry, run for real, forced, and its runs go at their time without a second transfer', async () => {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  seedRegistry(source, 'app', buildImage([{ a: 'b' }], { single: true }), ['v1']);
  await using world = await startWorld();
  const { client } = world;
  await installOciType(client);
  await createEndpoints(client, source.url, destination.url);

  const wish = ociOrder('o', [{ image: 'app:v1' }]);
  await client.create(orders, { ...wish, spec: { ...wish.spec, suspend: true, dryRun: true } });
  await when(client, 'the order to say that it is suspended', ({ status }) =>
    Object.values(status?.artifactWorkflows ?? {}).some(({ reason }) => reason === 'Suspended'),
  );
  assert.deepEqual(await runs(client), []);

  await client.patch(orders, ref, { spec: { suspend: null } });
  const dry = await finishedOrder(client, 'o');
  assert.equal(dry.status?.phase, 'Succeeded', dry.status?.message);
  assert.match(dry.status?.message ?? '', /checked \(dry run\)/);
  assert.equal(destination.writers.tagWrites.length, 0, 'a dry run writes nothing');

  await client.patch(orders, ref, { spec: { dryRun: false } });
  await when(client, 'the real run to end', ({ status }) => /1 of 1 artifacts transferred/.test(status?.message ?? ''));
  assert.equal(destination.writers.tagWrites.length, 1);
  const before = (await runs(client)).length;

  await client.patch(orders, ref, {
    metadata: { annotations: { 'arc.opendefense.cloud/force-at': String(Math.floor(Date.now() / 1000)) } },
  });
  await when(client, 'the forced run to end', ({ status }) => status?.lastForceAt !== undefined && status.phase === 'Succeeded');
  assert.equal((await runs(client)).length, before + 1);

  await client.patch(orders, ref, { spec: { TTLSecondsAfterCompletion: 0 } });
  await eventually(async () => (await runs(client)).length === 0, { what: 'the runs to go', timeoutMs: 30_000 });
  const written = destination.writers.tagWrites.length;
  await world.restart('SIGKILL');
  const after = await when(client, 'the order to be looked at again', ({ status }) => status?.phase === 'Succeeded');
  assert.equal(Object.values(after.status?.artifactWorkflows ?? {})[0]?.expired, true);
  assert.deepEqual([await runs(client), destination.writers.tagWrites.length], [[], written]);

  await client.patch(orders, ref, { spec: { ttl: '1s' } });
  await eventually(async () => (await client.list(orders, { namespace: 'default' })).items.length === 0, { what: 'the order to go' });
});

test('what failed is retried when somebody asks for it, whatever else its spec holds', async () => {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  await using world = await startWorld();
  const { client } = world;
  await installOciType(client);
  await createEndpoints(client, source.url, destination.url);
  // User interfaces send empty fields, and people fields no template asks for: both are harmless.
  await client.create(
    orders,
    ociOrder('o', [{ image: 'app:v1', note: '', override: '', tags: [], values: null, unheardOf: { deep: ['x', 1] } }]),
  );
  assert.equal((await finishedOrder(client, 'o')).status?.phase, 'Failed');

  seedRegistry(source, 'app', buildImage([{ a: 'b' }], { single: true }), ['v1']);
  await client.patch(orders, ref, { metadata: { annotations: { 'arc.opendefense.cloud/retry': 'now' } } });
  await when(client, 'the retry to succeed', ({ status }) => status?.phase === 'Succeeded');
  assert.equal(destination.writers.tagWrites.length, 1);
});
