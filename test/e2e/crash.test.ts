import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orders } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { buildImage, eventually, seedRegistry, startTestRegistry } from '@arc/testkit';
import { createEndpoints, finishedOrder, installOciType, ociOrder, startWorld } from './support/world.ts';

const mebibyte = 1024 * 1024;

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`${signal} of arcctl up in the middle of an order: after a restart it succeeds, each artifact delivered once`, async () => {
    await using source = await startTestRegistry({ bytesPerSecond: 2 * mebibyte });
    await using destination = await startTestRegistry();
    const names = ['one', 'two', 'three'];
    const images = names.map((name) => {
      const image = buildImage([{ name }], { random: { layers: 2, bytes: 2 * mebibyte, seed: name } });
      seedRegistry(source, `demo/${name}`, image, ['v1']);
      return image;
    });
    await using world = await startWorld();
    await installOciType(world.client);
    await createEndpoints(world.client, source.url, destination.url);
    await world.client.create(
      orders,
      ociOrder(
        'cut',
        names.map((name) => ({ image: `demo/${name}:v1` })),
      ),
    );

    await eventually(() => destination.requests.entries.some((entry) => entry.requestBytes > 0), {
      what: 'the first bytes at the destination',
    });
    await world.restart(signal);

    const order = await finishedOrder(world.client, 'cut');
    assert.equal(order.status?.phase, 'Succeeded', JSON.stringify(order.status, null, 2));
    for (const [index, name] of names.entries()) {
      assert.equal(destination.content.manifest(`demo/${name}`, 'v1')?.digest, images[index]?.digest, name);
      assert.equal(destination.writers.of(`demo/${name}`).maxConcurrentWriters, 1, `writers of ${name} at one time`);
      const tagged = destination.writers.tagWrites.filter((write) => write.repository === `demo/${name}`);
      assert.equal(tagged.length, 1, `tag writes of ${name}: ${JSON.stringify(tagged)}`);
    }
    const settled = await world.client.get<Order>(orders, { namespace: 'default', name: 'cut' });
    assert.equal(Object.keys(settled.status?.artifactWorkflows ?? {}).length, names.length);
  });
}
