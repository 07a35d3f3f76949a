import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { clusterWorkflowTemplates } from '@arc/api/argo';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  artifactWorkflows,
  createWorld,
  creations,
  namespace,
  order,
  orders,
  podNode,
  runAll,
  supply,
  workflows,
} from '../../test/world.ts';
import type { Script, World } from '../../test/world.ts';
import { timestamp } from '../metadata/conditions.ts';
import { forceOf, pendingRetry } from './requests.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const forceAt = 'arc.opendefense.cloud/force-at';
const retryKey = 'arc.opendefense.cloud/retry';

function ends(world: World, phase: 'Succeeded' | 'Failed'): Script {
  return () => ({ phase, finishedAt: timestamp(world.clock.now()) });
}

function annotate(world: World, annotations: Record<string, string>): void {
  world.apply(orders, { ...world.order(), metadata: { ...world.order().metadata, annotations } });
}

function change(world: World, spec: Order['spec']): void {
  world.apply(orders, { ...world.order(), spec: { ...world.order().spec, ...spec } } as Order);
}

test('force-at is in force from its time on, and stays so when it is taken away', () => {
  const asked = (value: string, lastForceAt?: string): Order => ({
    ...order([]),
    metadata: { annotations: { [forceAt]: value } },
    ...(lastForceAt !== undefined && { status: { lastForceAt } }),
  });
  const seconds = start / 1000;
  assert.deepEqual(forceOf(asked(String(seconds)), start), { value: seconds, next: undefined });
  assert.deepEqual(forceOf(asked(String(seconds + 5)), start), { value: undefined, next: start + 5000 });
  assert.deepEqual(forceOf(asked(String(seconds + 5), timestamp(start)), start), { value: seconds, next: start + 5000 });
  assert.deepEqual(forceOf({ ...order([]), status: { lastForceAt: timestamp(start) } }, start), { value: seconds, next: undefined });
  for (const odd of ['', 'now', '-5', '1e9', '99999999999999']) {
    assert.deepEqual(forceOf(asked(odd), start), { value: undefined, next: undefined }, odd);
  }
  assert.equal(pendingRetry({ ...order([]), metadata: { annotations: { [retryKey]: 'a' } } }), 'a');
  assert.equal(pendingRetry({ ...order([]), metadata: { annotations: { [retryKey]: 'a' } }, status: { lastRetry: 'a' } }), undefined);
});

test('every value of force-at runs everything once more, exactly once (weakness 5)', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a', 'b']));
  await runAll(world, ends(world, 'Succeeded'));
  annotate(world, { [forceAt]: String(Math.floor(world.clock.now() / 1000)) });
  await runAll(world, ends(world, 'Succeeded'));
  assert.equal(creations(world, workflows).length, 4);
  await world.restart();
  await world.clock.advance(3_600_000);
  annotate(world, {});
  await runAll(world, ends(world, 'Succeeded'));
  assert.equal(creations(world, workflows).length, 4, 'neither time nor taking it away runs anything');
  assert.equal(world.order().status?.phase, 'Succeeded');
});

test('force-at in the future runs at that time, once', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  await runAll(world, ends(world, 'Succeeded'));
  annotate(world, { [forceAt]: String(Math.floor(world.clock.now() / 1000) + 3600) });
  await world.clock.advance(3_500_000);
  assert.equal(creations(world, workflows).length, 1);
  await world.clock.advance(200_000);
  await runAll(world, ends(world, 'Succeeded'));
  assert.equal(creations(world, workflows).length, 2);
  await world.clock.advance(3_600_000);
  assert.equal(creations(world, workflows).length, 2);
});

test('forcing what runs ends it first: there are never two writers', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['a']));
  await world.settle();
  const [first] = world.workflows();
  world.client.put(workflows, { ...first, metadata: { ...first?.metadata, finalizers: ['engine/hold'] } } as never);
  annotate(world, { [forceAt]: String(Math.floor(world.clock.now() / 1000)) });
  await world.settle();
  assert.equal(world.workflows().length, 1, 'the old one holds its successor back');
  assert.equal(world.entries()[0]?.reason, 'Superseding');
  await world.client.patch(workflows, { namespace, name: first?.metadata.name ?? '' }, { metadata: { finalizers: null } });
  await runAll(world, ends(world, 'Succeeded'));
  assert.equal(creations(world, workflows).length, 2);
});

test('a suspended Order starts nothing new, lets go on what runs, and goes on when it is resumed', async () => {
  await using world = await createWorld({ maxActiveWorkflows: 1 });
  supply(world);
  world.apply(orders, order(['a', 'b', 'c']));
  await world.settle();
  assert.equal(world.workflows().length, 1);
  change(world, { suspend: true });
  await runAll(world, ends(world, 'Succeeded'));
  assert.equal(creations(world, workflows).length, 1);
  const { status } = world.order();
  assert.equal(status?.phase, 'Running');
  assert.deepEqual(
    world
      .entries()
      .map(({ reason }) => reason)
      .sort(),
    ['Suspended', 'Suspended', undefined],
  );
  const progressing = status?.conditions?.find(({ type }) => type === 'Progressing');
  assert.deepEqual([progressing?.status, progressing?.reason], ['False', 'Suspended']);
  assert.match(status?.message ?? '', /suspended with 2 not started/);
  await world.restart();
  await runAll(world, ends(world, 'Succeeded'));
  assert.equal(creations(world, workflows).length, 1);
  change(world, { suspend: false });
  await runAll(world, ends(world, 'Succeeded'));
  assert.equal(world.order().status?.phase, 'Succeeded');
  assert.equal(creations(world, workflows).length, 3);
});

test('an Order that is born suspended makes no runs', async () => {
  await using world = await createWorld();
  supply(world);
  const wish = order(['a']);
  world.apply(orders, { ...wish, spec: { ...wish.spec, suspend: true } } as Order);
  await world.settle();
  assert.deepEqual(world.runs(), []);
  assert.deepEqual([world.entries()[0]?.phase, world.entries()[0]?.reason], ['Pending', 'Suspended']);
});

test('retry tries what failed once more for every value, and nothing else', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(['good', 'bad']));
  const script: Script = ({ spec }) => ({
    phase: JSON.stringify(spec).includes('"bad"') ? 'Failed' : 'Succeeded',
    finishedAt: timestamp(world.clock.now()),
    nodes: { n: podNode('n', { phase: 'Failed', message: 'disk full' }) },
  });
  await runAll(world, script);
  annotate(world, { [retryKey]: 'one' });
  await runAll(world, script);
  assert.equal(creations(world, workflows).length, 3);
  assert.equal(world.order().status?.phase, 'Failed');
  assert.equal(world.order().status?.lastRetry, 'one');
  await world.restart();
  await world.clock.advance(3_600_000);
  assert.equal(creations(world, workflows).length, 3, 'once');
  annotate(world, { [retryKey]: 'two' });
  await runAll(world, ends(world, 'Succeeded'));
  assert.equal(creations(world, workflows).length, 4);
  assert.equal(world.order().status?.phase, 'Succeeded');
  const run = world.runs().find(({ status }) => status?.lastRetry === 'two');
  assert.deepEqual([run?.status?.failureTime, run?.status?.logTail, run?.status?.message], [undefined, undefined, undefined]);
});

test('a failed run that has expired is tried once more too', async () => {
  await using world = await createWorld();
  supply(world);
  const wish = order(['a']);
  world.apply(orders, { ...wish, spec: { ...wish.spec, TTLSecondsAfterCompletion: 0 } } as Order);
  await runAll(world, ends(world, 'Failed'));
  assert.deepEqual(world.runs(), []);
  annotate(world, { [retryKey]: 'x' });
  await runAll(world, ends(world, 'Failed'));
  assert.equal(creations(world, workflows).length, 2);
  assert.deepEqual(
    world.entries().map(({ phase, expired }) => [phase, expired]),
    [['Failed', true]],
  );
});

test('a retry at any crash point runs exactly one more attempt', async () => {
  for (let crash = 0; crash < 10; crash++) {
    await using world = await createWorld();
    supply(world);
    world.apply(orders, order(['a']));
    await runAll(world, ends(world, 'Failed'));
    let seen = 0;
    let refused = 0;
    using hook = world.client.onRequest(({ verb, type }) => {
      if (verb === 'watch' || verb === 'list' || seen++ !== crash) return;
      if (verb === 'create' && type?.plural === 'workflows') refused += 1;
      throw new Error('connection lost');
    });
    annotate(world, { [retryKey]: 'x' });
    await world.settle(10);
    await world.restart();
    hook[Symbol.dispose]();
    await runAll(world, ends(world, 'Failed'));
    await world.clock.advance(3_600_000);
    assert.equal(creations(world, workflows).length - refused, 2, `crash ${crash}`);
    assert.equal(world.order().status?.phase, 'Failed', `crash ${crash}`);
  }
});

test('a run written by hand is retried and forced by its own annotations', async () => {
  await using world = await createWorld();
  const run: ArtifactWorkflow = {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'ArtifactWorkflow',
    metadata: { namespace, name: 'by-hand' },
    spec: { workflowTemplateRef: { name: 't' } },
  };
  world.client.put(artifactWorkflows, run);
  await runAll(world, ends(world, 'Failed'));
  const ref = { namespace, name: 'by-hand' };
  await world.client.patch(artifactWorkflows, ref, { metadata: { annotations: { [retryKey]: 'x' } } });
  await runAll(world, ends(world, 'Succeeded'));
  assert.equal(creations(world, workflows).length, 2);
  const soon = String(Math.floor(world.clock.now() / 1000) + 60);
  await world.client.patch(artifactWorkflows, ref, { metadata: { annotations: { [forceAt]: soon, [retryKey]: 'y' } } });
  await world.clock.advance(30_000);
  assert.equal(creations(world, workflows).length, 2, 'neither retried, for it succeeded, nor forced before its time');
  await world.clock.advance(40_000);
  await runAll(world, ends(world, 'Succeeded'));
  await world.clock.advance(3_600_000);
  assert.equal(creations(world, workflows).length, 3);
});

test('a dry run is refused by templates that would transfer for real; a real run follows when it is over', async () => {
  await using world = await createWorld();
  supply(world);
  const wish = order(['a']);
  world.apply(orders, { ...wish, spec: { ...wish.spec, dryRun: true } } as Order);
  await world.settle();
  assert.deepEqual([world.entries()[0]?.phase, world.entries()[0]?.reason], ['Failed', 'DryRunUnsupported']);
  assert.equal(creations(world, workflows).length, 0);
  world.client.put(clusterWorkflowTemplates, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ClusterWorkflowTemplate',
    metadata: { name: 'copy' },
    spec: { arguments: { parameters: [{ name: 'dryRun', value: 'false' }] } },
  } as never);
  annotate(world, { [retryKey]: 'x' });
  await runAll(world, ends(world, 'Succeeded'));
  assert.equal(world.workflows()[0]?.spec.arguments?.parameters?.find(({ name }) => name === 'dryRun')?.value, 'true');
  assert.match(world.order().status?.message ?? '', /1 of 1 artifacts checked \(dry run\)/);
  change(world, { dryRun: false });
  await runAll(world, ends(world, 'Succeeded'));
  assert.equal(creations(world, workflows).length, 2, 'a dry run delivers nothing');
});
