import assert from 'node:assert/strict';
import { test } from 'node:test';
import { artifactWorkflows, endpoints, orders } from '@arc/api/arc';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { workflows } from '@arc/api/argo';
import { namespaces } from '@arc/api/core';
import type { KubeClient } from '@arc/kube-client';
import { buildImage, eventually, seedRegistry, startTestRegistry } from '@arc/testkit';
import { createEndpoints, installOciType, ociOrder, startWorld } from './support/world.ts';

async function runs(client: KubeClient, namespace: string): Promise<readonly ArtifactWorkflow[]> {
  return (await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace })).items;
}

async function active(client: KubeClient, namespace: string): Promise<number> {
  return (await client.list(workflows, { namespace })).items.length;
}

test('a namespace that came later gets the next slot, caps hold, and the queue tells who waits for what', async () => {
  await using source = await startTestRegistry({ bytesPerSecond: 50_000 });
  await using destination = await startTestRegistry();
  seedRegistry(source, 'slow/app', buildImage([{ a: 'b' }], { random: { layers: 1, bytes: 8_000_000 } }), ['v1']);
  await using world = await startWorld();
  const { client } = world;
  await installOciType(client);
  const capped = { 'arc.opendefense.cloud/max-active': '1' };
  for (const [name, annotations] of [['many', {}] as const, ['few', {}] as const, ['one', capped] as const]) {
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, annotations } });
    await createEndpoints(client, source.url, destination.url, name);
  }
  await client.patch(endpoints, { namespace: 'few', name: 'src' }, { spec: { concurrency: 1 } });
  const artifact = (tag: string): Record<string, unknown> => ({ image: 'slow/app:v1', tags: [tag] });
  for (let index = 0; index < 12; index += 1) await client.create(orders, ociOrder(`o${index}`, [artifact(`t${index}`)], 'many'));
  await eventually(async () => (await active(client, 'many')) === 8, { what: 'all slots to be taken' });

  await client.create(orders, ociOrder('late', [artifact('a'), artifact('b')], 'few'));
  await client.create(orders, ociOrder('capped', [artifact('c'), artifact('d')], 'one'));
  const waits = async (namespace: string): Promise<readonly string[]> =>
    (await runs(client, namespace)).flatMap(({ status }) => (status?.queuePosition === undefined ? [] : [status.message ?? '']));
  await eventually(async () => (await waits('few')).length + (await waits('one')).length === 4, { what: 'the late ones to be told' });
  for (const message of await waits('few'))
    assert.match(message, /^waits for its turn, about number [1-6] in line: 8 of at most 8 workflows run$/);
  const { stdout } = await world.arcctl(['queue', '-A']);
  assert.match(stdout, /^POSITION +NAMESPACE +NAME +TYPE +AGE +WHY$/m);
  assert.equal(stdout.trim().split('\n').length, 1 + 4 + 4, stdout);

  await client.delete(orders, { namespace: 'many', name: 'o0' });
  await eventually(async () => (await active(client, 'few')) + (await active(client, 'one')) === 1, { what: 'the turn of the others' });
  assert.equal(await active(client, 'many'), 7, 'though its own came first');

  for (let index = 1; index < 9; index += 1) await client.delete(orders, { namespace: 'many', name: `o${index}` });
  const all = (): Promise<number[]> => Promise.all(['many', 'few', 'one'].map((namespace) => active(client, namespace)));
  await eventually(async () => String(await all()) === '3,1,1', { what: 'free slots, and caps that keep others waiting' });
  await client.patch(endpoints, { namespace: 'few', name: 'src' }, { spec: { concurrency: 2 } });
  await eventually(async () => String(await all()) === '3,2,1', { what: 'a raised cap to let the next one in' });
  // The Workflow is made before the status of its run says that it waits no more.
  await eventually(async () => (await waits('one')).length === 1, { what: 'one of the two to wait' });
});
