import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import { settle } from '../conformance/support.ts';
import type { CachedEvent, ObjectFilter } from './contract.ts';
import { jsonOf, orderKey, orderJson, orders, OrderWriter, reader } from './testing.ts';
import { openWatchCache } from './watch-cache.ts';

/** Stands still, so that a turn serves every watcher however slow the machine is. */
const clock = new FakeClock();

const isRed: ObjectFilter = ({ labels }) => labels['color'] === 'red';

test('a watch replays history and goes on live, without gap or duplicate', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  await using cache = await openWatchCache(store, { resources: [orders], clock });
  await writer.put('n/a');
  await writer.put('n/b');
  await cache.waitUntilFresh();
  const events = reader(cache.resource(orders).watch({ after: 1 }));
  await writer.put('n/c');
  await cache.waitUntilFresh();
  // Applied but not handed out yet when this watch begins.
  const late = reader(cache.resource(orders).watch({ after: 1 }));
  const future = reader(cache.resource(orders).watch({ after: 4 }));
  await writer.put('n/d');
  await writer.put('n/e');
  assert.equal(await events.next(), '2: ADDED n/b@2');
  assert.equal(await events.next(), '5: ADDED n/c@3, ADDED n/d@4, ADDED n/e@5');
  assert.equal(await late.next(), '5: ADDED n/b@2, ADDED n/c@3, ADDED n/d@4, ADDED n/e@5');
  assert.equal(await future.next(), '5: ADDED n/e@5');
});

test('a watch of a namespace sees only that', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  await using cache = await openWatchCache(store, { resources: [orders], clock });
  const events = reader(cache.resource(orders).watch({ after: 0, namespace: 'n' }));
  for (const path of ['m/a', 'n/a', 'n-x/a', 'n/b']) await writer.put(path);
  assert.equal(await events.next(), '4: ADDED n/a@2, ADDED n/b@4');
});

test('objects enter, stay in and leave a selection', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  await using cache = await openWatchCache(store, { resources: [orders], clock });
  const resource = cache.resource(orders);
  const live = resource.watch({ after: 0, filter: isRed });
  for (const color of ['blue', 'red', 'red', 'blue', 'blue', 'red']) await writer.put('n/a', { labels: { color } });
  await writer.delete('n/a');
  await writer.put('n/a', { labels: { color: 'blue' } });
  await writer.delete('n/a');
  await cache.waitUntilFresh();
  const expected = '9: ADDED n/a@2, MODIFIED n/a@3, DELETED n/a@4, ADDED n/a@6, DELETED n/a@7';
  assert.equal(await reader(live).next(), expected);
  assert.equal(await reader(resource.watch({ after: 0, filter: isRed })).next(), expected, 'and so they do in a replay');
});

test('what leaves carries the content it had under the revision at which it left', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  await using cache = await openWatchCache(store, { resources: [orders], clock });
  const resource = cache.resource(orders);
  await writer.put('n/a', { labels: { color: 'red' }, phase: 'One' });
  await writer.put('n/a', { labels: { color: 'blue' }, phase: 'Two' });
  await writer.delete('n/a');
  await cache.waitUntilFresh();
  const [, left] = await firstEvents(resource.watch({ after: 0, filter: isRed }));
  assert.equal(left?.type, 'DELETED');
  assert.deepEqual(jsonOf(left.object.bytes), {
    ...(jsonOf(orderJson('n/a', { labels: { color: 'red' }, phase: 'One' })) as object),
    metadata: { resourceVersion: '2', name: 'a', namespace: 'n', uid: 'uid-a', labels: { color: 'red' } },
  });
  assert.equal(left.previous?.revision, 1);
  const [, , deleted] = await firstEvents(resource.watch({ after: 0 }));
  assert.equal(deleted?.type, 'DELETED');
  assert.equal(deleted.object.revision, 3);
  assert.equal(deleted.object.name, 'a');
  assert.equal(deleted.object.field('phase'), 'Two');
  assert.deepEqual((jsonOf(deleted.object.metadata) as { resourceVersion: string }).resourceVersion, '3');
});

test('watchers share events, so that encodings can be kept with them', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  await using cache = await openWatchCache(store, { resources: [orders], clock });
  const resource = cache.resource(orders);
  await writer.put('n/a', { labels: { color: 'red' } });
  await writer.put('n/a', { labels: { color: 'blue' } });
  await cache.waitUntilFresh();
  for (const filter of [undefined, isRed]) {
    const options = { after: 0, ...(filter !== undefined && { filter }) };
    const [first, second] = await Promise.all([firstEvents(resource.watch(options)), firstEvents(resource.watch(options))]);
    assert.equal(first.length, 2);
    for (const [i, event] of first.entries()) assert.equal(event, second[i]);
  }
});

test('writes of one turn arrive as one delivery', async () => {
  const { store } = new OrderWriter();
  await using _store = store;
  await using cache = await openWatchCache(store, { resources: [orders], clock });
  const events = reader(cache.resource(orders).watch({ after: 0 }));
  const paths = Array.from({ length: 100 }, (_, i) => `n/${i}`);
  await Promise.all(paths.map((path) => store.commit([{ key: orderKey(path), expect: 'absent', value: orderJson(path) }])));
  assert.equal((await events.next()).split(',').length, 100);
});

test('progress is an empty delivery with the newest revision, after the events before it', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  await using cache = await openWatchCache(store, { resources: [orders], clock });
  const watcher = cache.resource(orders).watch({ after: 0, namespace: 'n' });
  const events = reader(watcher);
  await writer.put('m/a');
  await cache.waitUntilFresh();
  watcher.requestProgress();
  watcher.requestProgress();
  assert.equal(await events.next(), '1: ');
  await writer.put('n/a');
  await writer.put('m/b');
  await cache.waitUntilFresh();
  watcher.requestProgress();
  assert.equal(await events.next(), '3: ADDED n/a@2');
  assert.equal(await events.next(), '3: ');
});

test('a watcher that does not keep up is closed, and others are not', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  await using cache = await openWatchCache(store, { resources: [orders], clock });
  const resource = cache.resource(orders);
  const slow = reader(resource.watch({ after: 0, maxQueued: 3 }));
  const quick = reader(resource.watch({ after: 0, maxQueued: 3 }));
  for (let i = 1; i <= 4; i++) {
    await writer.put(`n/${i}`);
    await settle();
    assert.equal(await quick.next(), `${i}: ADDED n/${i}@${i}`);
  }
  await assert.rejects(slow.next(), { code: 'SlowWatcher' });
  assert.equal(await slow.next(), 'end');
  const resumed = reader(resource.watch({ after: 0 }));
  assert.equal(await resumed.next(), '4: ADDED n/1@1, ADDED n/2@2, ADDED n/3@3, ADDED n/4@4');
});

test('a disposed watcher ends, whether it waits or not', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  await using cache = await openWatchCache(store, { resources: [orders], clock });
  const watcher = cache.resource(orders).watch({ after: 0 });
  const waiting = reader(watcher).next();
  await settle();
  watcher[Symbol.dispose]();
  watcher.requestProgress();
  assert.equal(await waiting, 'end');
  await writer.put('n/a');
  await settle();
  assert.equal(await reader(watcher).next(), 'end');
});

async function firstEvents(watcher: AsyncIterable<{ readonly events: readonly CachedEvent[] }>): Promise<readonly CachedEvent[]> {
  for await (const { events } of watcher) return events;
  return [];
}
