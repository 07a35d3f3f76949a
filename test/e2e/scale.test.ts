import assert from 'node:assert/strict';
import { test } from 'node:test';
import { artifactWorkflows, endpoints, orders } from '@arc/api/arc';
import { workflows } from '@arc/api/argo';
import { namespaces } from '@arc/api/core';
import { isStatusReason } from '@arc/apimachinery';
import { buildImage, eventually, seedRegistry, startTestRegistry } from '@arc/testkit';
import { createEndpoints, endpoint, finishedOrder, installOciType, ociOrder, startWorld } from './support/world.ts';

test('an order of 200 small artifacts completes, each tag written once', async () => {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  const names = Array.from({ length: 200 }, (_, index) => `small/${index}`);
  for (const name of names) seedRegistry(source, name, buildImage([{ name }], { single: true }), ['v1']);
  await using world = await startWorld();
  await installOciType(world.client);
  await createEndpoints(world.client, source.url, destination.url);
  await world.client.create(
    orders,
    ociOrder(
      'many',
      names.map((name) => ({ image: `${name}:v1` })),
    ),
  );

  const order = await finishedOrder(world.client, 'many', 'default', 240_000);
  assert.equal(order.status?.phase, 'Succeeded', JSON.stringify(order.status?.conditions));
  assert.equal(destination.writers.tagWrites.length, names.length);
  assert.deepEqual(new Set(destination.content.repositories()), new Set(names));
});

test('deleting a namespace full of orders, some of them running, ends and leaves nothing behind', async () => {
  await using source = await startTestRegistry({ bytesPerSecond: 100_000 });
  await using destination = await startTestRegistry();
  seedRegistry(source, 'slow/app', buildImage([{ a: 'b' }], { random: { layers: 1, bytes: 4_000_000 } }), ['v1']);
  await using world = await startWorld();
  const { client } = world;
  await installOciType(client);
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'full' } });
  await createEndpoints(client, source.url, destination.url, 'full');
  await client.create(endpoints, endpoint('unused', 'https://registry.example.com', {}, 'full'));
  for (let index = 0; index < 20; index += 1)
    await client.create(orders, ociOrder(`order-${index}`, [{ image: 'slow/app:v1', tags: [`t${index}`] }], 'full'));
  await eventually(async () => (await client.list(workflows, { namespace: 'full' })).items.length > 0, { what: 'a workflow to start' });

  await client.delete(namespaces, { name: 'full' });
  await eventually(
    async () => {
      try {
        await client.get(namespaces, { name: 'full' });
        return false;
      } catch (error) {
        return isStatusReason(error, 'NotFound');
      }
    },
    { what: 'the namespace to go', timeoutMs: 60_000 },
  );
  for (const type of [orders, artifactWorkflows, workflows, endpoints]) {
    assert.deepEqual((await client.list(type)).items, [], type.plural);
  }
  assert.equal(destination.writers.tagWrites.length, 0, 'nothing was tagged by a run that was ended');
});
