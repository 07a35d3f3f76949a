import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { artifactTypes, artifactWorkflows, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import { workflows } from '@arc/api/argo';
import { secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import type { KubeObject, ResourceType } from '@arc/apimachinery';
import type { KubeClient } from '@arc/kube-client';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, phaseOf, setUp, supply } from '../test/api-scenario.ts';
import { HandOvers, quick } from '../test/hand-overs.ts';
import { clusterType, endpoint, namespace, namespacedType, order, secret } from '../test/world.ts';

// On the real server: what a change of something an Order uses leads to, and what it does not.

const ref = (name: string) => ({ namespace, name });
const level = (value: string) => ({ parameters: [{ name: 'level', value }] });

/** `a` and `c` come from `src`, which has credentials, `b` from `src2`; each is of a type of its own. */
async function deliverThree(client: KubeClient): Promise<void> {
  await client.create(secrets, secret('creds', { username: 'somebody', password: 'hunter2hunter2' }));
  await supply(client);
  await client.patch(endpoints, ref('src'), { spec: { secretRef: { name: 'creds' } } });
  await client.create(endpoints, endpoint('src2'));
  await client.create(artifactTypes, namespacedType('local', level('1')));
  await client.create(clusterArtifactTypes, clusterType('other', level('1')));
  const wish = order(['a', 'b', 'c']);
  const [, second, third] = wish.spec?.artifacts ?? [];
  Object.assign(second ?? {}, { type: 'local', srcRef: { name: 'src2' } });
  Object.assign(third ?? {}, { type: 'other', spec: { image: 'c', nested: { x: 1, y: 2 } } });
  await client.create(orders, wish);
  await eventually('success', async () => (await phaseOf(client)) === 'Succeeded');
}

/** Deletes it and makes it anew: another object of the same content, as a restore does. */
async function restore<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType,
  name: string,
  changed: Partial<T> = {},
): Promise<void> {
  const { metadata: _metadata, ...rest } = await client.get<T>(type, type.namespaced ? ref(name) : { name });
  await client.delete(type, type.namespaced ? ref(name) : { name });
  await client.create(type, { ...rest, ...changed, metadata: type.namespaced ? ref(name) : { name } } as T);
}

test('a change of an Endpoint, Secret, ArtifactType or ClusterArtifactType runs what uses it again, once, and nothing else', async () => {
  await using scenario = await setUp(undefined, quick);
  const { client } = scenario;
  await deliverThree(client);
  const handOvers = new HandOvers(client);
  assert.deepEqual(await handOvers.take(), ['a', 'b', 'c']);
  const changes: [what: string, change: () => Promise<unknown>, again: string[]][] = [
    ['Endpoint', () => client.patch(endpoints, ref('src2'), { spec: { remoteURL: 'https://new.example.com' } }), ['b']],
    ['Secret', () => client.patch(secrets, ref('creds'), { data: { password: 'bmV3IG9uZSEh' } }), ['a', 'c']],
    [
      'ArtifactType',
      () => restore(client, artifactTypes, 'local', { spec: { workflowTemplateRef: { name: 'local' }, ...level('2') } } as never),
      ['b'],
    ],
    ['ClusterArtifactType', () => client.patch(clusterArtifactTypes, { name: 'other' }, { spec: level('2') }), ['c']],
    ['shared Endpoint', () => client.patch(endpoints, ref('dst'), { spec: { remoteURL: 'https://else.example.com' } }), ['a', 'b', 'c']],
  ];
  for (const [what, change, again] of changes) {
    await change();
    assert.deepEqual(await handOvers.take(), again, what);
    await eventually('success', async () => (await phaseOf(client)) === 'Succeeded');
  }
  const { status } = await client.get<Order>(orders, ref('o'));
  for (const name of ['src', 'src2', 'dst']) {
    const { generation } = (await client.get(endpoints, ref(name))).metadata;
    assert.equal(status?.endpointGenerations?.[name], generation, name);
  }
  assert.deepEqual(status?.secretGenerations, { creds: 2 });
  const runs = (await client.list<ArtifactWorkflow>(artifactWorkflows)).items.filter(({ metadata }) => metadata.name?.startsWith('o-'));
  assert.equal(runs.length, 11, 'old runs stay for history');
  assert.equal(Object.keys(status?.artifactWorkflows ?? {}).length, 3);
});

test('what alters nothing that decides the outcome runs nothing', async () => {
  await using scenario = await setUp(undefined, quick);
  const { client } = scenario;
  await deliverThree(client);
  const handOvers = new HandOvers(client);
  assert.deepEqual(await handOvers.take(), ['a', 'b', 'c']);
  const label = { metadata: { labels: { touched: 'yes' }, annotations: { owner: 'somebody' } } };
  const { data = {} } = await client.get<Secret>(secrets, ref('creds'));
  const reordered = Object.fromEntries(Object.entries(data).toReversed());
  const changes: [what: string, change: () => Promise<unknown>][] = [
    ['labels of the Order', () => client.patch(orders, ref('o'), label)],
    ['priority', () => client.patch(orders, ref('o'), { spec: { priority: 7 } })],
    [
      'order of keys in the spec of an artifact',
      async () => {
        const { spec } = await client.get<Order>(orders, ref('o'));
        const artifacts = spec?.artifacts?.map((artifact, index) =>
          index === 2 ? { ...artifact, spec: { nested: { y: 2, x: 1 }, image: 'c' } } : artifact,
        );
        await client.patch(orders, ref('o'), { spec: { artifacts } });
      },
    ],
    ['labels of an Endpoint', () => client.patch(endpoints, ref('src'), label)],
    ['cap of an Endpoint', () => client.patch(endpoints, ref('src'), { spec: { concurrency: 3 } })],
    ['labels of a Secret', () => client.patch(secrets, ref('creds'), label)],
    ['order of keys in a Secret', () => restore<Secret>(client, secrets, 'creds', { data: reordered })],
    ['restore of a Secret', () => restore(client, secrets, 'creds')],
    ['restore of an Endpoint', () => restore(client, endpoints, 'src')],
    ['restore of a type', () => restore(client, clusterArtifactTypes, 'other')],
    ['labels of a type', () => client.patch(clusterArtifactTypes, { name: 'oci' }, label)],
    ['times of a type', () => client.patch(clusterArtifactTypes, { name: 'oci' }, { spec: { ttlAfterFinished: '1h' } })],
    [
      'rules of a type that allow the same',
      () => client.patch(clusterArtifactTypes, { name: 'oci' }, { spec: { rules: { srcTypes: ['oci'] } } }),
    ],
  ];
  for (const [what, change] of changes) {
    await change();
    assert.deepEqual(await handOvers.take(), [], what);
  }
  const { status } = await client.get<Order>(orders, ref('o'));
  assert.deepEqual([status?.phase, status?.secretGenerations], ['Succeeded', { creds: 1 }]);
  const { metadata } = await client.get<Secret>(secrets, ref('creds'));
  assert.deepEqual([metadata.ownerReferences, metadata.finalizers, metadata.labels], [undefined, undefined, undefined]);
});

test('a superseded run that is still active is stopped before its successor starts', async () => {
  let isHeld = true;
  await using scenario = await setUp(() => (isHeld ? undefined : { phase: 'Succeeded' }), quick);
  const { client } = scenario;
  await supply(client);
  const { metadata } = await client.list(workflows);
  await client.create(orders, order(['a']));
  await eventually('work', async () => (await client.list<Workflow>(workflows)).items[0]?.status?.phase === 'Running');
  isHeld = false;
  await client.patch(endpoints, ref('dst'), { spec: { remoteURL: 'https://new.example.com' } });
  await eventually('success', async () => (await phaseOf(client)) === 'Succeeded');
  const told: string[] = [];
  for await (const { type, object } of client.watch(workflows, { resourceVersion: metadata.resourceVersion ?? '' })) {
    if (type === 'ADDED' || type === 'DELETED') told.push(`${type} ${object.metadata.uid}`);
    if (told.length === 3) break;
  }
  const [first, second, third] = told.map((line) => line.split(' '));
  assert.deepEqual([first?.[0], second?.[0], third?.[0]], ['ADDED', 'DELETED', 'ADDED']);
  assert.deepEqual([second?.[1] === first?.[1], third?.[1] === first?.[1]], [true, false]);
});
