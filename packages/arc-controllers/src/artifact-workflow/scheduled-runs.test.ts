import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { heldAnnotation } from '@arc/api/arc';
import type { CronWorkflow, Workflow } from '@arc/api/argo';
import { cronWorkflows } from '@arc/api/argo';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld, endpoint, endpoints, namespace, order, orders, supply, workflows } from '../../test/world.ts';
import type { World } from '../../test/world.ts';

function scheduled(name: string, spec: Order['spec'] = {}): Order {
  const wish = order([name], { name });
  const cron = { schedules: ['0 * * * *'], timezone: 'UTC' };
  return { ...wish, spec: { ...wish.spec, ...spec, defaults: { ...wish.spec?.defaults, cron } } };
}

/** Makes the run of each of these Orders that is due, as an engine does. */
async function fire(world: World, names: readonly string[], spec: Partial<Workflow['spec']> = {}): Promise<void> {
  for (const name of names) {
    const cron = world.client.peekAll<CronWorkflow>(cronWorkflows).find(({ metadata }) => metadata.name?.startsWith(`${name}-`));
    assert.ok(cron !== undefined);
    const { apiVersion, kind, metadata } = cron;
    world.client.put(workflows, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Workflow',
      metadata: {
        ...{ namespace, name: runOf(name), creationTimestamp: new Date(world.clock.now()).toISOString() },
        ...cron.spec.workflowMetadata,
        ownerReferences: [{ apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '', controller: true }],
      },
      spec: { ...cron.spec.workflowSpec, ...spec },
      status: { phase: 'Running' },
    } as Workflow);
  }
  await world.settle();
}

function runOf(name: string): string {
  return `run-of-${name}`;
}

function released(world: World): string[] {
  const isFree = ({ metadata, spec }: Workflow): boolean => spec.suspend !== true && metadata.annotations?.[heldAnnotation] === undefined;
  return world.workflows().flatMap((workflow) => (isFree(workflow) ? [workflow.metadata.name ?? ''] : []));
}

async function end(world: World, name: string): Promise<void> {
  world.report(runOf(name), { phase: 'Succeeded', finishedAt: '2026-01-01T00:10:00Z' });
  await world.settle();
}

function statusOf(world: World, name: string): ArtifactWorkflow['status'] {
  return world.runs().find(({ metadata }) => metadata.name?.startsWith(`${name}-`))?.status;
}

test('runs of schedules that are due at once wait for a place at their Endpoint, and tell so', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(endpoints, endpoint('dst', { concurrency: 2 }));
  const names = ['a', 'b', 'c', 'd'];
  for (const name of names) world.apply(orders, scheduled(name, name === 'd' ? { priority: 9 } : {}));
  await world.settle();
  await fire(world, names.slice(0, 2));
  assert.deepEqual(released(world), ['run-of-a', 'run-of-b']);
  assert.deepEqual([statusOf(world, 'a')?.activeWorkflowRef?.name, statusOf(world, 'a')?.queuePosition], ['run-of-a', undefined]);

  await fire(world, names.slice(2));
  assert.equal(released(world).length, 2);
  const waiting = statusOf(world, 'c');
  assert.deepEqual(
    [waiting?.phase, waiting?.reason, waiting?.queuePosition, waiting?.activeWorkflowRef],
    ['Active', 'Queued', 1, undefined],
  );
  assert.match(waiting?.message ?? '', /2 of at most 2 runs use the Endpoint "dst"/);

  await world.restart();
  await world.settle();
  assert.equal(released(world).length, 2, 'a restart lets nobody in');
  await end(world, 'a');
  assert.deepEqual(released(world).at(-1), 'run-of-d', 'the more important one goes first');
  await end(world, 'b');
  assert.equal(released(world).length, 4);
  assert.deepEqual([statusOf(world, 'c')?.reason, statusOf(world, 'c')?.queuePosition], [undefined, undefined]);
});

test('runs of schedules and others share the slots, and one that is removed while it waits frees nothing it never had', async () => {
  await using world = await createWorld({ maxActiveWorkflows: 1 });
  supply(world);
  for (const name of ['a', 'b']) world.apply(orders, scheduled(name));
  await world.settle();
  await fire(world, ['a', 'b']);
  assert.deepEqual(released(world), ['run-of-a']);
  world.apply(orders, order(['once'], { name: 'once' }));
  await world.settle();
  assert.equal(world.workflows().length, 2, 'the slot is taken');
  await world.client.delete(workflows, { namespace, name: runOf('b') });
  await world.settle();
  assert.equal(world.workflows().length, 1);
  await end(world, 'a');
  assert.equal(world.workflows().length, 2);
});

test('a run that waits is held while its Order is suspended, and let go to end when it is shut down', async () => {
  await using world = await createWorld({ maxActiveWorkflows: 1 });
  supply(world);
  for (const name of ['a', 'b', 'c']) world.apply(orders, scheduled(name));
  await world.settle();
  await fire(world, ['a', 'b']);
  world.apply(orders, { ...world.order('b'), spec: scheduled('b', { suspend: true }).spec } as Order);
  await world.settle();
  await end(world, 'a');
  assert.deepEqual(released(world), ['run-of-a']);
  assert.deepEqual([statusOf(world, 'b')?.message, statusOf(world, 'b')?.queuePosition], ['starts when its Order is resumed', undefined]);
  world.apply(orders, { ...world.order('b'), spec: scheduled('b').spec } as Order);
  await world.settle();
  assert.deepEqual(released(world), ['run-of-a', 'run-of-b']);
  await fire(world, ['c'], { shutdown: 'Terminate' });
  assert.deepEqual(released(world), ['run-of-a', 'run-of-b', 'run-of-c'], 'what is to end needs no slot for that');
});
