import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { arcKinds, retryAnnotation } from '@arc/api/arc';
import { FakeClock, silentLogger } from '@arc/kernel';
import { createFakeClient } from '@arc/kube-client/fake';
import type { FakeClient } from '@arc/kube-client/fake';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frozenInformer } from '../../test/stale.ts';
import {
  artifactWorkflows,
  clusterType,
  createWorld,
  endpoint,
  endpoints,
  namespace,
  order,
  orders,
  runAll,
  supply,
} from '../../test/world.ts';
import type { OrderContext } from './context.ts';
import { orderReconciler } from './reconciler.ts';

// What becomes of runs that are not wanted any more when informers are late and controllers die.

const { signal } = new AbortController();
const request = { namespace, name: 'o' };

/** An Order controller whose informers show what it is told they show. */
function late(client: FakeClient): { shows: { url: string; runs: ArtifactWorkflow[] }; look(): Promise<void> } {
  const shows = { url: 'https://old.example.com', runs: [] as ArtifactWorkflow[] };
  const context: OrderContext = {
    client,
    clock: new FakeClock(),
    logger: silentLogger,
    events: { event: () => {} },
    digestKey: Buffer.alloc(16),
    statusIntervalMs: 0,
    runDelayMs: 0,
    orders: frozenInformer<Order>([]),
    artifactWorkflows: frozenInformer<ArtifactWorkflow>([]),
    endpoints: frozenInformer([]),
    secrets: frozenInformer([]),
    artifactTypes: frozenInformer([]),
    clusterArtifactTypes: frozenInformer([clusterType()]),
  };
  const reconcile = orderReconciler({
    ...context,
    get orders() {
      return frozenInformer([client.peek<Order>(orders, request)].filter((found) => found !== undefined));
    },
    get endpoints() {
      return frozenInformer([endpoint('src'), endpoint('dst', { remoteURL: shows.url })]);
    },
    get artifactWorkflows() {
      return { ...frozenInformer(shows.runs), byIndex: () => shows.runs };
    },
  });
  return { shows, look: async () => void (await reconcile(request, signal)) };
}

test('a run that was made a moment ago and that the informer does not show yet is ended before its successor starts', async () => {
  const client = createFakeClient({ clock: new FakeClock(), kinds: arcKinds });
  client.put(orders, order(['a']));
  const { shows, look } = late(client);
  await look();
  const [first] = client.peekAll<ArtifactWorkflow>(artifactWorkflows);
  shows.url = 'https://new.example.com';
  await look();
  const [only, ...others] = client.peekAll<ArtifactWorkflow>(artifactWorkflows);
  assert.deepEqual([only?.metadata.name, others], [first?.metadata.name, []], 'there is no second one');
  assert.notEqual(only?.metadata.deletionTimestamp, undefined, 'and it is to end');
  await client.patch(artifactWorkflows, { namespace, name: only?.metadata.name ?? '' }, { metadata: { finalizers: null } });
  await look();
  assert.equal(client.peekAll(artifactWorkflows).length, 1);
  assert.notEqual(client.peekAll(artifactWorkflows)[0]?.metadata.name, first?.metadata.name);
});

test('so is one whose creation was in doubt, and one that is to run once more', async () => {
  const client = createFakeClient({ clock: new FakeClock(), kinds: arcKinds });
  client.put(orders, order(['a']));
  const { shows, look } = late(client);
  {
    // The server has made it and its answer is lost.
    using _lost = client.onRequest(({ verb, body }) => {
      if (verb !== 'create') return;
      client.put(artifactWorkflows, body as ArtifactWorkflow);
      throw new Error('connection lost');
    });
    await assert.rejects(look());
  }
  const [first] = client.peekAll<ArtifactWorkflow>(artifactWorkflows);
  assert.ok(first);
  shows.url = 'https://new.example.com';
  await look();
  assert.notEqual(client.peekAll(artifactWorkflows)[0]?.metadata.deletionTimestamp, undefined);
  await client.patch(artifactWorkflows, { namespace, name: first.metadata.name ?? '' }, { metadata: { finalizers: null } });
  await look();

  const [second] = client.peekAll<ArtifactWorkflow>(artifactWorkflows);
  assert.ok(second);
  const failed = client.put(artifactWorkflows, { ...second, status: { phase: 'Failed' } } as ArtifactWorkflow) as ArtifactWorkflow;
  shows.runs = [failed];
  await client.patch(orders, request, { metadata: { annotations: { [retryAnnotation]: '1' } } });
  await look();
  shows.url = 'https://third.example.com';
  await look();
  const left = client.peekAll<ArtifactWorkflow>(artifactWorkflows);
  assert.deepEqual(
    left.map(({ metadata }) => [metadata.name, metadata.deletionTimestamp !== undefined]),
    [[second.metadata.name, true]],
    'its successor waits for the end of an attempt that may begin at any moment',
  );
});

test('a superseded run that has ended meanwhile stays as history', async () => {
  const client = createFakeClient({ clock: new FakeClock(), kinds: arcKinds });
  client.put(orders, order(['a']));
  const { shows, look } = late(client);
  await look();
  const [run] = client.peekAll<ArtifactWorkflow>(artifactWorkflows);
  assert.ok(run);
  shows.runs = [run];
  const ended = client.put(artifactWorkflows, {
    ...run,
    status: { phase: 'Succeeded', completionTime: '2026-01-01T00:00:00Z' },
  } as ArtifactWorkflow);
  shows.url = 'https://new.example.com';
  await look();
  assert.equal(client.peek(artifactWorkflows, { namespace, name: run.metadata.name ?? '' })?.metadata.deletionTimestamp, undefined);
  shows.runs = [ended as ArtifactWorkflow];
  await look();
  const { deliveries } = client.peek<Order>(orders, request)?.status ?? {};
  assert.deepEqual(Object.values(deliveries ?? {}), ['2026-01-01T00:00:00Z']);
});

test('a run whose name a crash kept out of the status goes on while something it was made from is missing', async () => {
  await using world = await createWorld();
  supply(world);
  using crash = world.client.onRequest(({ verb, type }) => {
    if (verb === 'patch' && type?.plural === 'orders') throw new Error('connection lost');
  });
  world.apply(orders, { ...order(['a']), metadata: { ...request, finalizers: ['arc.opendefense.cloud/order-finalizer'] } });
  await world.settle();
  await world.stop();
  crash[Symbol.dispose]();
  assert.deepEqual([world.order().status, world.runs().length], [undefined, 1]);
  await world.client.delete(endpoints, { namespace, name: 'src' });
  await world.start();
  await world.settle();
  assert.equal(world.entries()[0]?.name, world.runs()[0]?.metadata.name);
  await runAll(world);
  assert.equal(world.order().status?.phase, 'Succeeded');
});

test('a run that waits goes on while something is missing, and not the one before it that had ended', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  await runAll(world, () => ({ phase: 'Failed', finishedAt: '2026-01-01T00:10:00Z' }));
  const [failed] = world.runs();
  using crash = world.client.onRequest(({ verb, type, subresource }) => {
    if (verb === 'patch' && type?.plural === 'orders' && subresource === 'status') throw new Error('connection lost');
  });
  world.apply(endpoints, endpoint('dst', { remoteURL: 'https://new.example.com' }));
  await world.settle();
  await world.stop();
  crash[Symbol.dispose]();
  await world.client.delete(endpoints, { namespace, name: 'src' });
  await world.start();
  await world.settle();
  const younger = world.runs().find(({ metadata }) => metadata.name !== failed?.metadata.name);
  assert.ok(younger);
  assert.deepEqual(
    world.entries().map(({ name, phase }) => [name, phase]),
    [[younger.metadata.name, 'Pending']],
  );
});

test('artifacts that come to the same share what was made for the first, also while something is missing', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a', 'a']));
  await runAll(world);
  await world.client.delete(endpoints, { namespace, name: 'src' });
  await world.settle();
  assert.deepEqual(
    world.entries().map(({ artifactIndex, phase }) => [artifactIndex, phase]),
    [[0, 'Succeeded']],
  );
});
