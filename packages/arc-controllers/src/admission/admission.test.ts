import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { retryAnnotation } from '@arc/api/arc';
import { namespaces } from '@arc/api/core';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  artifactWorkflows,
  clusterArtifactTypes,
  clusterType,
  createWorld,
  creations,
  endpoint,
  endpoints,
  namespace,
  order,
  orders,
  runAll,
  supply,
  workflows,
} from '../../test/world.ts';
import type { World } from '../../test/world.ts';

function images(count: number, prefix = 'image'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

function supplyNamespace(world: World, name: string): void {
  for (const side of ['src', 'dst']) world.apply(endpoints, { ...endpoint(side), metadata: { namespace: name, name: side } });
}

function orderIn(name: string, count: number): Order {
  return { ...order(images(count)), metadata: { namespace: name, name: 'o' } };
}

function activeIn(world: World, name: string): number {
  return world.workflows().filter(({ metadata, status }) => metadata.namespace === name && status?.finishedAt === undefined).length;
}

function finish(world: World, name: string): void {
  const open = world.workflows().find(({ metadata, status }) => metadata.namespace === name && status?.finishedAt === undefined);
  if (open === undefined) return;
  const status = { phase: 'Succeeded', finishedAt: new Date(world.clock.now()).toISOString() };
  world.client.put(workflows, { ...open, status } as never);
}

test('a namespace that asks for much does not keep another one waiting', async () => {
  await using world = await createWorld({ maxActiveWorkflows: 4 });
  supply(world);
  supplyNamespace(world, 'late');
  world.apply(orders, order(images(50)));
  await world.settle();
  assert.deepEqual([activeIn(world, namespace), activeIn(world, 'late')], [4, 0]);
  world.apply(orders, orderIn('late', 5));
  await world.settle();
  finish(world, namespace);
  finish(world, namespace);
  await world.settle();
  finish(world, namespace);
  await world.settle();
  assert.equal(activeIn(world, 'late') >= 2, true, 'what becomes free goes to who has had nothing');
  for (const name of [namespace, 'late']) {
    for (; activeIn(world, name) > 0; await world.settle()) finish(world, name);
  }
  assert.equal(creations(world, workflows).length, 55);
});

test('annotations of a namespace set its weight and its limit, also later', async () => {
  await using world = await createWorld({ maxActiveWorkflows: 6, maxActivePerNamespace: 3 });
  supply(world);
  world.apply(orders, order(images(10)));
  await world.settle();
  assert.equal(activeIn(world, namespace), 3);
  assert.match(
    world.runs().find(({ status }) => status?.reason === 'Queued')?.status?.message ?? '',
    /at most 3 workflows of its namespace/,
  );
  world.client.put(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, annotations: { 'arc.opendefense.cloud/max-active': '5', 'arc.opendefense.cloud/weight': 'lots' } },
  });
  await world.settle();
  assert.equal(activeIn(world, namespace), 5);
});

test('an Endpoint is used by no more runs than it bears, also after a restart; others go on', async () => {
  await using world = await createWorld({ maxActiveWorkflows: 10 });
  supply(world);
  world.apply(endpoints, endpoint('src', { concurrency: 2 }));
  world.apply(endpoints, endpoint('fast'));
  await world.settle();
  world.apply(orders, order(images(6)));
  const other = order(images(3), { name: 'other' });
  world.apply(orders, { ...other, spec: { ...other.spec, defaults: { srcRef: { name: 'fast' }, dstRef: { name: 'dst' } } } } as Order);
  await world.settle();
  const users = (): number => world.workflows().filter(({ metadata }) => metadata.name?.startsWith('o-')).length;
  assert.deepEqual([users(), world.workflows().length], [2, 5]);
  const waiting = world.runs().find(({ status }) => status?.reason === 'Queued');
  assert.match(waiting?.status?.message ?? '', /2 of at most 2 runs use the Endpoint "src"/);
  await world.restart();
  await world.settle();
  assert.equal(users(), 2);
  world.apply(endpoints, endpoint('src', { concurrency: 4 }));
  await world.settle();
  assert.equal(users(), 4, 'a raised limit takes effect, and runs nothing again');
  await runAll(world);
  assert.equal(creations(world, workflows).length, 9);
});

test('priority of the Order, else of the type, decides within a namespace, also when it is changed', async () => {
  await using world = await createWorld({ maxActiveWorkflows: 1 });
  supply(world);
  world.apply(clusterArtifactTypes, clusterType('hot', { priority: 5 }));
  world.apply(orders, order(['blocker'], { name: 'blocker' }));
  await world.settle();
  world.apply(orders, order(['a'], { name: 'plain' }));
  await world.settle();
  const hot = order(['b'], { name: 'hot' });
  Object.assign(hot.spec?.artifacts?.[0] ?? {}, { type: 'hot' });
  world.apply(orders, hot);
  await world.settle();
  const urgent = order(['c'], { name: 'urgent' });
  world.apply(orders, urgent);
  await world.settle();
  world.apply(orders, { ...world.order('urgent'), spec: { ...urgent.spec, priority: 9 } } as Order);
  await runAll(world);
  assert.deepEqual(
    creations(world, workflows).map((name) => name.split('-')[0]),
    ['blocker', 'urgent', 'hot', 'plain'],
  );
});

test('who waits is told where it stands; near the front the place is kept current, at little cost', async () => {
  await using world = await createWorld({ maxActiveWorkflows: 1 });
  supply(world);
  world.apply(orders, order(images(5)));
  await world.settle();
  const places = (): number[] =>
    world
      .runs()
      .map(({ status }) => status?.queuePosition ?? 0)
      .sort();
  await world.clock.advance(31_000);
  assert.deepEqual(places(), [0, 1, 2, 3, 4]);
  const waiting = world.runs().find(({ status }) => status?.queuePosition === 1);
  assert.match(waiting?.status?.message ?? '', /about number 1 in line: 1 of at most 1 workflows run/);
  assert.match(world.entries().find(({ reason }) => reason === 'Queued')?.message ?? '', /in line/);
  const writes = (): number =>
    world.client.requests.filter(({ verb, type }) => verb === 'patch' && type?.plural === 'artifactworkflows').length;
  const before = writes();
  await world.clock.advance(300_000);
  assert.equal(writes(), before, 'nothing is written while nothing moves');
  finish(world, namespace);
  await world.clock.advance(31_000);
  assert.deepEqual(places(), [0, 0, 1, 2, 3]);
  assert.deepEqual(
    world.runs().filter(({ status }) => status?.activeWorkflowRef !== undefined && status.queuePosition !== undefined),
    [],
  );
});

test('a run that is deleted while it waits, or suspended when its turn comes, gives its turn away', async () => {
  await using world = await createWorld({ maxActiveWorkflows: 1 });
  supply(world);
  world.apply(orders, order(['a'], { name: 'first' }));
  await world.settle();
  const suspended = order(['b'], { name: 'second' });
  world.apply(orders, suspended);
  await world.settle();
  world.apply(orders, order(['c'], { name: 'third' }));
  const byHand: ArtifactWorkflow = {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata: { namespace, name: 'fourth' },
    spec: { workflowTemplateRef: { name: 't' } },
  };
  world.client.put(artifactWorkflows, byHand);
  await world.settle();
  world.apply(orders, { ...world.order('second'), spec: { ...suspended.spec, suspend: true } } as Order);
  await world.client.delete(artifactWorkflows, { namespace, name: 'fourth' });
  await runAll(world);
  assert.deepEqual(
    creations(world, workflows).map((name) => name.split('-')[0]),
    ['first', 'third'],
  );
});

test('the slot of a run that is deleted is free when its Workflow is gone, not before', async () => {
  await using world = await createWorld({ maxActiveWorkflows: 1 });
  supply(world);
  world.apply(orders, order(['a'], { name: 'first' }));
  await world.settle();
  const [ending] = world.workflows();
  assert.ok(ending !== undefined);
  world.client.put(workflows, { ...ending, metadata: { ...ending.metadata, finalizers: ['engine/steps-are-ending'] } });
  world.apply(orders, order(['b'], { name: 'second' }));
  await world.settle();
  await world.client.delete(orders, { namespace, name: 'first' });
  await world.settle();
  assert.deepEqual(
    world.workflows().map(({ metadata }) => metadata.deletionTimestamp !== undefined),
    [true],
  );
  await world.client.patch(workflows, { namespace, name: ending.metadata.name ?? '' }, { metadata: { finalizers: [] } });
  await world.settle();
  assert.deepEqual(
    world.workflows().map(({ metadata }) => metadata.name?.split('-')[0]),
    ['second'],
  );
});

test('a run that is tried again, or was held, waits from then on, and does not pass by what is more urgent', async () => {
  await using world = await createWorld({ maxActiveWorkflows: 1 });
  supply(world);
  world.apply(orders, order(['a'], { name: 'old' }));
  const held = order(['b'], { name: 'held' });
  world.apply(orders, { ...held, spec: { ...held.spec, suspend: true } });
  await runAll(world, () => ({ phase: 'Failed', finishedAt: '2026-01-01T00:10:00Z' }));
  await world.clock.advance(24 * 3_600_000);
  world.apply(orders, order(['c'], { name: 'blocker' }));
  await world.settle();
  const urgent = order(['d'], { name: 'urgent' });
  world.apply(orders, { ...urgent, spec: { ...urgent.spec, priority: 5 } });
  await world.settle();
  const old = world.order('old');
  world.apply(orders, { ...old, metadata: { ...old.metadata, annotations: { [retryAnnotation]: 'please' } } });
  world.apply(orders, { ...world.order('held'), spec: held.spec } as Order);
  await world.settle();
  const before = creations(world, workflows).length;
  await runAll(world);
  const started = creations(world, workflows)
    .slice(before)
    .map((name) => name.split('-')[0]);
  assert.deepEqual([started[0], started.slice(1).sort()], ['urgent', ['held', 'old']]);
});
