import type { KubeObject, ResourceType } from '@arc/apimachinery';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld, endpoint, endpoints, namespace, order, orders, runAll, supply } from '../../test/world.ts';
import type { World } from '../../test/world.ts';

const eventType: ResourceType = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

interface Told extends KubeObject {
  readonly reason: string;
  readonly note: string;
  readonly type: string;
  readonly regarding: { readonly kind: string };
}

/** Events about Orders, in their order. */
function story(world: World): Told[] {
  const made = world.client.requests.filter(({ verb, type }) => verb === 'create' && type?.plural === 'events').map(({ name }) => name);
  return world.client
    .peekAll<Told>(eventType)
    .filter(({ regarding }) => regarding.kind === 'Order')
    .toSorted((a, b) => made.indexOf(a.metadata.name) - made.indexOf(b.metadata.name));
}

const reasons = (world: World): string[] => story(world).map(({ type, reason }) => `${type} ${reason}`);

async function annotate(world: World, name: string, value: string): Promise<void> {
  await world.client.patch(orders, { namespace, name: 'o' }, { metadata: { annotations: { [`arc.opendefense.cloud/${name}`]: value } } });
  await world.settle();
}

test('the events of an Order tell its story: what it lacked, that it began, failed, was tried again and forced', async () => {
  await using world = await createWorld();
  world.apply(orders, order(['a', 'b']));
  await world.settle();
  const [first] = story(world);
  assert.deepEqual([first?.type, first?.reason], ['Warning', 'MissingEndpoint']);
  assert.match(first?.note ?? '', /spec\.artifacts\[0\].*"src".*\(and 1 more\)/);
  supply(world);
  await world.settle();
  await runAll(world, (workflow) => ({
    phase: workflow.spec.arguments?.parameters?.some(({ value }) => value === 'a') === true ? 'Failed' : 'Succeeded',
    finishedAt: '2026-01-01T00:10:00Z',
  }));
  await annotate(world, 'retry', 'once');
  await runAll(world);
  await annotate(world, 'force-at', String(Math.floor(world.clock.now() / 1000)));
  await runAll(world);
  assert.deepEqual(reasons(world), [
    // Of `src`, and of `dst` when there was a `src`.
    ...['Warning MissingEndpoint', 'Warning MissingEndpoint', 'Normal Created', 'Normal Accepted', 'Warning Failed'],
    // That it succeeded again in the same words counts up the event there is.
    ...['Normal Retrying', 'Normal Succeeded', 'Normal Created', 'Normal ForceReconcile'],
  ]);
});

test('however many artifacts an Order has and however often what they need comes and goes, events are few', async () => {
  await using world = await createWorld();
  supply(world);
  world.apply(orders, order(Array.from({ length: 20 }, (_, index) => `image-${index}`)));
  await world.settle();
  for (let round = 0; round < 20; round++) {
    await world.client.delete(endpoints, { namespace, name: 'src' });
    await world.settle(100);
    world.apply(endpoints, endpoint('src'));
    await world.settle(100);
  }
  const events = world.client.requests.filter(({ type }) => type?.plural === 'events').length;
  const ofOrder = story(world).length;
  assert.ok(ofOrder <= 5, `${ofOrder} events of the Order: ${reasons(world).join(', ')}`);
  // One of each run, and a few of the Order and the Endpoint.
  assert.ok(events <= 20 + 30, `${events} requests for events`);
});
