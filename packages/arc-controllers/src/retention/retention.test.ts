import type { Order } from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
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
import type { Script, World } from '../../test/world.ts';
import { timestamp } from '../metadata/conditions.ts';
import { delayUntil } from './delay-until.ts';
import { deliveriesOf } from './deliveries.ts';
import { orderExpiry, runExpiry } from './expiry.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const succeeded = { phase: 'Succeeded', completionTime: '2026-01-01T00:00:00Z' };
const failed = { phase: 'Failed', completionTime: '2026-01-01T00:00:00Z', failureTime: '2026-01-01T00:00:10Z' };

test('a run is kept unless something says otherwise; the seconds of the Order win over the times of the type', () => {
  assert.equal(runExpiry(succeeded, {}), undefined);
  assert.equal(runExpiry(succeeded, { ttlAfterFailed: '1s' }), undefined);
  assert.equal(runExpiry(succeeded, { ttlAfterFinished: '1m', ttlAfterFailed: '1s' }), start + 60_000);
  assert.equal(runExpiry(failed, { ttlAfterFinished: '1s', ttlAfterFailed: '1m' }), start + 70_000, 'counted from the failure');
  assert.equal(runExpiry({ ...failed, phase: 'Error' }, { ttlAfterFailed: '1m' }), start + 70_000);
  assert.equal(runExpiry(succeeded, { ttlAfterFinished: '0s' }), undefined, '0 of a type keeps');
  assert.equal(runExpiry(succeeded, { secondsAfterCompletion: 0, ttlAfterFinished: '1h' }), start, '0 of an Order removes at once');
  assert.equal(runExpiry(failed, { secondsAfterCompletion: 5, ttlAfterFailed: '0' }), start + 15_000);
  assert.equal(
    runExpiry({ phase: 'Succeeded' }, { secondsAfterCompletion: 0 }),
    undefined,
    'without a time of completion nothing is counted',
  );
  assert.equal(runExpiry(succeeded, { ttlAfterFinished: 'tomorrow' }), undefined, 'a stored value nobody can read keeps');
});

test('ttl counts from the creation of the Order; unset and 0 keep it', () => {
  const withTtl = (ttl: string): Order => ({ ...order([]), metadata: { creationTimestamp: timestamp(start) }, spec: { ttl } });
  assert.equal(orderExpiry(withTtl('90s')), start + 90_000);
  assert.equal(orderExpiry(withTtl('0')), undefined);
  assert.equal(orderExpiry(order([])), undefined);
});

test('waiting never exceeds what timers can do, and never goes back in time', () => {
  assert.equal(delayUntil(100, [undefined]), undefined);
  assert.equal(delayUntil(100, [500, undefined, 300]), 200);
  assert.equal(delayUntil(100, [50]), 0);
  assert.ok((delayUntil(0, [Number.MAX_SAFE_INTEGER]) ?? Infinity) < 2 ** 31);
});

test('what leaves the entries as delivered is remembered, the newest first when there is no room for all', () => {
  const entries = new Map([['c', { artifactIndex: 0, phase: 'Running' }]]);
  const before = {
    deliveries: { a: '2026-01-01T00:00:00Z', c: '2026-01-01T00:00:00Z' },
    artifactWorkflows: {
      b: { artifactIndex: 0, phase: 'Succeeded', completionTime: '2026-01-02T00:00:00Z' },
      d: { artifactIndex: 1, phase: 'Failed' },
    },
  };
  assert.deepEqual(deliveriesOf(before, entries, []), { a: '2026-01-01T00:00:00Z', b: '2026-01-02T00:00:00Z' });
  const many = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`h${index}`, timestamp(start + index * 1000)]));
  const kept = deliveriesOf({ deliveries: many }, new Map(), []);
  assert.equal(Object.keys(kept).length, 500);
  assert.deepEqual([kept['h599'] !== undefined, kept['h0'] !== undefined], [true, false]);
});

function endNow(world: World, phase: 'Succeeded' | 'Failed' = 'Succeeded'): Script {
  return () => ({ phase, finishedAt: timestamp(world.clock.now()) });
}

test('TTLSecondsAfterCompletion removes runs at its time, not before, and what was delivered stays delivered', async () => {
  await using world = await createWorld();
  supply(world);
  const wish = order(['a', 'b']);
  world.apply(orders, { ...wish, spec: { ...wish.spec, TTLSecondsAfterCompletion: 60 } } as Order);
  await runAll(world, endNow(world));
  assert.equal(world.runs().length, 2);
  await world.clock.advance(50_000);
  assert.equal(world.runs().length, 2);
  await world.clock.advance(15_000);
  await world.settle();
  assert.deepEqual([world.runs(), world.workflows()], [[], []]);
  assert.deepEqual(
    world.entries().map(({ phase, expired }) => [phase, expired]),
    [
      ['Succeeded', true],
      ['Succeeded', true],
    ],
  );
  assert.equal(world.order().status?.phase, 'Succeeded');
  await world.restart();
  world.apply(orders, { ...world.order(), metadata: { ...world.order().metadata, labels: { touched: 'yes' } } });
  await world.settle();
  assert.equal(creations(world, workflows).length, 2, 'the record outlives the run');
});

test('0 seconds removes at once; failed runs are removed too and not tried again', async () => {
  await using world = await createWorld();
  supply(world);
  const wish = order(['a']);
  world.apply(orders, { ...wish, spec: { ...wish.spec, TTLSecondsAfterCompletion: 0 } } as Order);
  await runAll(world, endNow(world, 'Failed'));
  assert.deepEqual(world.runs(), []);
  assert.deepEqual(
    world.entries().map(({ phase, expired }) => [phase, expired]),
    [['Failed', true]],
  );
  await world.restart();
  await world.settle();
  assert.equal(creations(world, workflows).length, 1);
});

test('a crash at any request of the removal neither loses the record nor leaves the run', async () => {
  for (let crash = 0; crash < 6; crash++) {
    await using world = await createWorld();
    supply(world);
    const wish = order(['a']);
    world.apply(orders, { ...wish, spec: { ...wish.spec, TTLSecondsAfterCompletion: 60 } } as Order);
    await runAll(world, endNow(world, 'Failed'));
    let seen = 0;
    using hook = world.client.onRequest(({ verb }) => {
      if (verb !== 'watch' && verb !== 'list' && seen++ === crash) throw new Error('connection lost');
    });
    await world.clock.advance(61_000);
    await world.restart();
    hook[Symbol.dispose]();
    await world.settle();
    await world.clock.advance(120_000);
    assert.deepEqual(world.runs(), [], `crash ${crash}`);
    assert.equal(world.entries()[0]?.phase, 'Failed', `crash ${crash}`);
    assert.equal(creations(world, workflows).length, 1, `crash ${crash}`);
  }
});

test('the times of the type count for runs of Orders that say nothing, as they are now', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(clusterArtifactTypes, clusterType('oci', { ttlAfterFinished: '1h', ttlAfterFailed: '2h' }));
  world.apply(orders, order(['a']));
  await runAll(world, endNow(world));
  await world.clock.advance(1_800_000);
  assert.equal(world.runs().length, 1);
  world.apply(clusterArtifactTypes, clusterType('oci', { ttlAfterFinished: '45m' }));
  await world.clock.advance(960_000);
  await world.settle();
  assert.equal(world.runs().length, 0);
  assert.equal(creations(world, workflows).length, 1, 'a time to live decides nothing about the outcome');
});

test('an artifact that was delivered, changed and changed back is not delivered again, run kept or not', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  await runAll(world, endNow(world));
  world.apply(orders, order(['b']));
  await runAll(world, endNow(world));
  for (const { metadata } of world.runs()) await world.client.delete(artifactWorkflows, { namespace, name: metadata.name ?? '' });
  await world.settle();
  assert.deepEqual(world.runs(), []);
  world.apply(orders, order(['a']));
  await runAll(world, endNow(world));
  assert.equal(creations(world, workflows).length, 2);
  assert.equal(world.order().status?.phase, 'Succeeded');
  assert.deepEqual(Object.keys(world.order().status?.deliveries ?? {}).length, 1, 'b is remembered now');
});

test('a record stays while what it was made from is missing', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  await runAll(world, endNow(world));
  for (const { metadata } of world.runs()) await world.client.delete(artifactWorkflows, { namespace, name: metadata.name ?? '' });
  await world.client.delete(endpoints, { namespace, name: 'src' });
  await world.settle();
  assert.deepEqual(
    world.entries().map(({ phase }) => phase),
    ['Succeeded'],
  );
  world.apply(endpoints, endpoint('src'));
  await runAll(world, endNow(world));
  assert.equal(creations(world, workflows).length, 1);
});

test('a run deleted in the moment of its success is recorded before it goes', async () => {
  await using world = await createWorld({ orderStatusIntervalMs: 60_000 });
  supply(world);
  world.apply(orders, order(['a']));
  await world.settle(100);
  const [run] = world.runs();
  world.report(run?.metadata.name ?? '', { phase: 'Succeeded', finishedAt: timestamp(world.clock.now()) });
  await world.settle(100);
  assert.equal(world.runs()[0]?.status?.phase, 'Succeeded');
  assert.notEqual(world.entries()[0]?.phase, 'Succeeded', 'the Order does not know yet');
  await world.client.delete(artifactWorkflows, { namespace, name: run?.metadata.name ?? '' });
  await world.settle(100);
  assert.equal(world.runs().length, 1);
  await world.clock.advance(120_000);
  assert.deepEqual(world.runs(), []);
  assert.equal(world.order().status?.phase, 'Succeeded');
  assert.equal(creations(world, workflows).length, 1);
});

test('ttl removes the Order and what still runs for it', async () => {
  await using world = await createWorld();
  supply(world);
  const wish = order(['a']);
  world.apply(orders, { ...wish, spec: { ...wish.spec, ttl: '1h' } } as Order);
  await world.clock.advance(3_500_000);
  assert.equal(world.workflows().length, 1);
  await world.clock.advance(200_000);
  await world.settle();
  assert.deepEqual([world.client.peekAll(orders), world.runs(), world.workflows()], [[], [], []]);
});

test('a run without an Order goes by its own times', async () => {
  await using world = await createWorld();
  world.client.put(artifactWorkflows, {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata: { namespace, name: 'by-hand' },
    spec: { workflowTemplateRef: { name: 't' }, ttlAfterFinished: '1m' },
  } as never);
  await runAll(world, endNow(world));
  assert.equal(world.runs().length, 1);
  await world.clock.advance(61_000);
  await world.settle();
  assert.deepEqual(world.runs(), []);
});

test('what a Workflow delivers after its deletion began is on record, though nobody could read it before it went', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  await world.until('it runs', () => world.workflows().length === 1);
  const [made] = world.workflows();
  assert.ok(made);
  const held = { ...made, metadata: { ...made.metadata, finalizers: ['engine/hold'] }, status: { phase: 'Running' } };
  world.client.put(workflows, held as Workflow);
  await world.settle();
  world.apply(orders, order([]));
  const ref = { namespace, name: made.metadata.name ?? '' };
  await world.until('its Workflow is being deleted', () => world.client.peek(workflows, ref)?.metadata.deletionTimestamp !== undefined);
  await world.settle();
  const deleting = world.client.peek<Workflow>(workflows, ref);
  assert.ok(deleting);
  const delivered = world.client.put(workflows, {
    ...deleting,
    status: { phase: 'Succeeded', finishedAt: '2026-01-01T00:10:00Z' },
  } as Workflow);
  await world.client.update(workflows, { ...delivered, metadata: { ...delivered.metadata, finalizers: [] } });
  await world.until('the run is gone', () => world.runs().length === 0);
  assert.deepEqual(Object.values(world.order().status?.deliveries ?? {}), ['2026-01-01T00:10:00Z']);
  world.apply(orders, order(['a']));
  await world.settle();
  assert.equal(world.order().status?.phase, 'Succeeded');
  assert.deepEqual(world.workflows(), []);
});
