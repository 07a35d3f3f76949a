import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { orders } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { configMaps, pods } from '@arc/api/core';
import type { KubeObject } from '@arc/apimachinery';
import { buildImage, eventually, seedRegistry, startTestRegistry } from '@arc/testkit';
import { createEndpoints, finishedOrder, installOciType, ociOrder, startWorld } from './support/world.ts';

/** Programs of this machine whose command line or environment mentions `text`. */
async function processesMentioning(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    const environment = await readFile(`/proc/${entry}/environ`, 'utf8').catch(() => '');
    if (command.includes(text) || environment.includes(text)) found.push(`${entry} ${command.replaceAll('\0', ' ')}`);
  }
  return found;
}

test('SIGTERM ends arcctl up with code 0 and leaves no process behind, even in the middle of a transfer', async () => {
  await using source = await startTestRegistry({ bytesPerSecond: 100_000 });
  await using destination = await startTestRegistry();
  seedRegistry(source, 'demo/slow', buildImage([{ a: 'b' }], { random: { layers: 1, bytes: 5_000_000 } }), ['v1']);
  await using world = await startWorld();
  await installOciType(world.client);
  await createEndpoints(world.client, source.url, destination.url);
  await world.client.create(orders, ociOrder('slow', [{ image: 'demo/slow:v1' }]));
  await eventually(() => source.requests.matching({ path: /blobs/ }).length > 0, { what: 'the transfer to begin' });
  assert.notDeepEqual(await processesMentioning(world.dataDir), []);

  assert.equal(await world.arc.stop('SIGTERM'), 0, world.arc.output());
  assert.deepEqual(await processesMentioning(world.dataDir), []);
  assert.equal(destination.content.manifest('demo/slow', 'v1'), undefined);
});

test('the kubeconfig and everything secret is readable by its owner only', async () => {
  await using world = await startWorld();
  const modeOf = async (file: string): Promise<string> => ((await stat(file)).mode & 0o777).toString(8);
  assert.equal(await modeOf(world.arc.kubeconfig), '600');
  assert.equal(await modeOf(world.dataDir), '700');
  for (const file of ['pki/ca.key', 'pki/admin.key', 'pki/digest.key', 'arc.db'])
    assert.equal(await modeOf(join(world.dataDir, file)), '600', file);
});

test('what was stored and logged is there after a restart, under the same certificates', async () => {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  seedRegistry(source, 'demo/app', buildImage([{ a: 'b' }]), ['v1']);
  await using world = await startWorld();
  await installOciType(world.client);
  await createEndpoints(world.client, source.url, destination.url);
  await world.client.create(orders, ociOrder('kept', [{ image: 'demo/app:v1' }]));
  const before = await finishedOrder(world.client, 'kept');
  await world.restart('SIGTERM');

  const after = await world.client.get<Order>(orders, { namespace: 'default', name: 'kept' });
  assert.deepEqual(after.spec, before.spec);
  assert.equal(after.metadata.uid, before.metadata.uid);
  assert.equal(after.status?.phase, 'Succeeded');
  const { items } = await world.client.list(pods, { namespace: 'default' });
  assert.equal(items.length, 2, 'a pod for each step');
  assert.match((await world.arcctl(['logs', 'kept'])).stdout, /demo\/app/);
});

test('memory: keeps nothing beyond the process', async () => {
  await using world = await startWorld({ storage: 'memory:' });
  const object: KubeObject & { data: Record<string, string> } = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'gone', namespace: 'default' },
    data: { a: 'b' },
  };
  await world.client.create(configMaps, object);
  await world.restart('SIGTERM');
  assert.deepEqual((await world.client.list(configMaps)).items, []);
});
