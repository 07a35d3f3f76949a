import { receiptOutput } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld, order, orders, supply } from '../test/world.ts';
import type { World } from '../test/world.ts';

const orderCount = 50;
const artifacts = ['a', 'b', 'c'];

/** As in production; other tests have every status written at once. */
const limits = { progressIntervalMs: 1000, startIntervalMs: 250, orderStatusIntervalMs: 1000 } as const;

function requestsOf({ client }: World): { readonly all: number; readonly statusWrites: number } {
  const asked = client.requests.filter(({ verb }) => verb !== 'list' && verb !== 'watch');
  return { all: asked.length, statusWrites: asked.filter(({ subresource }) => subresource === 'status').length };
}

/** Lets time pass, and each Workflow run some time after it was made and end later, until every Order has succeeded. */
async function runOrders(world: World, runMs: number): Promise<void> {
  const made = new Map<string, number>();
  const statusAt = (age: number): Workflow['status'] | undefined => {
    if (age < 20) return undefined;
    if (age < runMs) return { phase: 'Running', startedAt: '2026-01-01T00:00:00Z' };
    return { phase: 'Succeeded', finishedAt: '2026-01-01T00:10:00Z', outputs: { parameters: [{ name: receiptOutput, value: 'digest' }] } };
  };
  await world.until('every Order has succeeded', () => {
    const now = world.clock.now();
    for (const { metadata, status } of world.workflows()) {
      const name = metadata.name ?? '';
      const since = made.get(name) ?? now;
      made.set(name, since);
      const next = statusAt(now - since);
      if (next !== undefined && next.phase !== status?.phase) world.report(name, next);
    }
    return world.client.peekAll<Order>(orders).every(({ status }) => status?.phase === 'Succeeded');
  });
  await world.settle();
}

for (const { what, runMs, most } of [
  { what: 'ends at once', runMs: 40, most: { all: 9, statusWrites: 3 } },
  { what: 'runs for a second', runMs: 1000, most: { all: 10.5, statusWrites: 4.5 } },
]) {
  test(`an artifact that waits, then ${what}, costs at most ${most.all} requests, ${most.statusWrites} of them status writes`, async () => {
    await using world = await createWorld(limits);
    supply(world);
    await world.settle();
    const before = requestsOf(world);
    for (let index = 0; index < orderCount; index++) world.apply(orders, order(artifacts, { name: `o${index}` }));
    await runOrders(world, runMs);
    const count = orderCount * artifacts.length;
    assert.equal(world.workflows().length, count);
    const after = requestsOf(world);
    const cost = { all: (after.all - before.all) / count, statusWrites: (after.statusWrites - before.statusWrites) / count };
    assert.ok(cost.all <= most.all && cost.statusWrites <= most.statusWrites, JSON.stringify(cost));
    const seen = world.client.requests.length;
    await world.clock.advance(60_000);
    assert.equal(world.client.requests.length, seen, 'what has ended costs nothing');
    await world.restart();
    await world.settle();
    assert.deepEqual(requestsOf(world), { ...after }, 'and nothing at a start');
  });
}
