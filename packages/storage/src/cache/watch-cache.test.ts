import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, lineLogger } from '@arc/kernel';
import { put, settle } from '../conformance/support.ts';
import { createMemoryStore } from '../memory/memory-store.ts';
import { StorageError } from '../storage-error.ts';
import type { ChangeBatch, RangeOptions, Store } from '../store.ts';
import type { CachedObject } from './contract.ts';
import { jsonOf, orderJson, orderKey, orders, OrderWriter, pathsOf, reader } from './testing.ts';
import { openWatchCache } from './watch-cache.ts';

test('an object is held as its bytes with the revision in place', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  const before = await writer.put('ns/before', { labels: { app: 'x' }, phase: 'Done' });
  await using cache = await openWatchCache(store, { resources: [orders] });
  const after = await writer.put('ns/after');
  await cache.waitUntilFresh();
  const resource = cache.resource(orders);
  for (const [name, revision] of [
    ['before', before],
    ['after', after],
  ] as const) {
    const object = resource.get('ns', name);
    assert.ok(object !== undefined);
    assert.equal(object.key, orderKey(`ns/${name}`));
    assert.equal(object.revision, revision);
    assert.deepEqual([object.namespace, object.name], ['ns', name]);
    assert.ok(Buffer.from(object.bytes).toString().startsWith('{"apiVersion":"g/v1","kind":"Order","metadata":{"resourceVersion":"'));
    const parsed = jsonOf(object.bytes) as { readonly metadata: unknown };
    assert.deepEqual(jsonOf(object.metadata), parsed.metadata);
    assert.equal(object.metadata.buffer, object.bytes.buffer, 'metadata is a view');
    assert.equal(object.bytes.buffer.byteLength, object.bytes.length, 'nothing else is retained');
  }
  assert.deepEqual(resource.get('ns', 'before')?.labels, { app: 'x' });
  const field = (name: string): string | undefined => resource.get('ns', 'before')?.field(name);
  assert.deepEqual(['phase', 'metadata.name', 'metadata.namespace', 'other'].map(field), ['Done', 'before', 'ns', '']);
  assert.equal(resource.get('other', 'before'), undefined);
});

test('lists are ordered by key and cut by namespace, filter, limit and after', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  for (const path of ['a/x', 'a-b/x', 'a/y', 'b/x', 'a/z']) await writer.put(path, { labels: { name: path.at(-1) ?? '' } });
  await using cache = await openWatchCache(store, { resources: [orders] });
  const list = cache.resource(orders).list.bind(cache.resource(orders));
  assert.deepEqual(pathsOf(list().objects), ['a-b/x', 'a/x', 'a/y', 'a/z', 'b/x']);
  assert.deepEqual(pathsOf(list({ namespace: 'a' }).objects), ['a/x', 'a/y', 'a/z']);
  assert.deepEqual(pathsOf(list({ namespace: '' }).objects).length, 5);
  assert.deepEqual(pathsOf(list({ filter: ({ labels }) => labels['name'] === 'x' }).objects), ['a-b/x', 'a/x', 'b/x']);

  const page = list({ limit: 2 });
  assert.deepEqual(pathsOf(page.objects), ['a-b/x', 'a/x']);
  assert.equal(page.remaining, 3);
  assert.equal(page.next, orderKey('a/x'));
  assert.equal(page.revision, 5);
  const last = list({ limit: 3, after: page.next });
  assert.deepEqual(pathsOf(last.objects), ['a/y', 'a/z', 'b/x']);
  assert.deepEqual([last.next, last.remaining], [undefined, undefined]);
  const scoped = list({ namespace: 'a', limit: 1 });
  assert.equal(scoped.remaining, 2);
  const filtered = list({ filter: ({ labels }) => labels['name'] === 'x', limit: 2 });
  assert.deepEqual([filtered.next, filtered.remaining], [orderKey('a/x'), undefined]);
  const exact = list({ filter: ({ labels }) => labels['name'] === 'y', limit: 1 });
  assert.equal(exact.next, undefined);
});

test('a list at a past revision undoes what happened since, page by page', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  await using cache = await openWatchCache(store, { resources: [orders] });
  for (const path of ['n/a', 'n/c', 'n/e']) await writer.put(path);
  const then = await writer.put('n/g', { phase: 'then' });
  await writer.put('n/g', { phase: 'now' });
  await writer.put('n/g', { phase: 'later' });
  await writer.delete('n/a');
  await writer.put('n/b');
  await writer.delete('n/e');
  await writer.put('n/e');
  await cache.waitUntilFresh();
  const resource = cache.resource(orders);
  assert.deepEqual(pathsOf(resource.list().objects), ['n/b', 'n/c', 'n/e', 'n/g']);
  const past = resource.list({ at: then });
  assert.equal(past.revision, then);
  assert.deepEqual(pathsOf(past.objects), ['n/a', 'n/c', 'n/e', 'n/g']);
  assert.deepEqual(
    past.objects.map(({ revision }) => revision),
    [1, 2, 3, 4],
  );
  assert.equal(past.objects.at(-1)?.field('phase'), 'then');
  const first = resource.list({ at: then, limit: 1 });
  assert.deepEqual([pathsOf(first.objects), first.remaining], [['n/a'], 3]);
  const rest = resource.list({ at: then, limit: 2, ...(first.next !== undefined && { after: first.next }) });
  assert.deepEqual([pathsOf(rest.objects), rest.remaining], [['n/c', 'n/e'], 1]);
  assert.deepEqual(resource.list({ at: 0 }).objects, []);
  assert.throws(() => resource.list({ at: 1000 }), { code: 'FutureRevision' });
});

test('history that has been left behind is Compacted, for lists and watches', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  const clock = new FakeClock();
  await using cache = await openWatchCache(store, { resources: [orders], clock, historyEvents: 10, historyMs: 1000 });
  const resource = cache.resource(orders);
  for (let i = 0; i < 20; i++) await writer.put(`n/${i}`);
  await cache.waitUntilFresh();
  assert.equal(resource.list({ at: 1 }).objects.length, 1, 'what is young stays, however much it is');
  await clock.advance(1001);
  await writer.put('n/last');
  await cache.waitUntilFresh();
  assert.throws(() => resource.list({ at: 10 }), { code: 'Compacted' });
  assert.throws(() => resource.watch({ after: 10 }), { code: 'Compacted' });
  assert.equal(resource.list({ at: 11 }).objects.length, 11, 'as many events as asked for stay, however old they are');
  assert.equal(await reader(resource.watch({ after: 19 })).next(), '21: ADDED n/19@20, ADDED n/last@21');
});

test('a new cache answers for history that the store still has', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  await writer.put('n/a', { phase: '1' });
  await writer.put('n/b');
  await writer.put('n/a', { phase: '2' });
  await writer.delete('n/b');
  await writer.put('n/b');
  await using early = await openWatchCache(store, { resources: [orders] });
  await using late = await openWatchCache(store);
  for (const cache of [early, late]) {
    const resource = cache.resource(orders);
    assert.equal(await reader(resource.watch({ after: 1 })).next(), '5: ADDED n/b@2, MODIFIED n/a@3, DELETED n/b@4, ADDED n/b@5');
    assert.deepEqual(pathsOf(resource.list({ at: 2 }).objects), ['n/a', 'n/b']);
    assert.equal(resource.list({ at: 2 }).objects[0]?.field('phase'), '1');
  }
  await store.compact(3);
  await using compacted = await openWatchCache(store, { resources: [orders] });
  assert.throws(() => compacted.resource(orders).watch({ after: 2 }), { code: 'Compacted' });
  assert.equal(await reader(compacted.resource(orders).watch({ after: 3 })).next(), '5: DELETED n/b@4, ADDED n/b@5');
});

test('what does not decode is left out, counted and logged without its content', async () => {
  const lines: string[] = [];
  const writer = new OrderWriter();
  await using store = writer.store;
  await writer.putRaw('n/bad', Buffer.from('{"metadata":{"name":"bad"},"data":"hunter2"'));
  await writer.putRaw('n/array', Buffer.from('[]'));
  await writer.put('n/good');
  const logger = lineLogger((line) => lines.push(line));
  await using cache = await openWatchCache(store, { resources: [orders], logger });
  const resource = cache.resource(orders);
  const events = reader(resource.watch({ after: 3 }));
  assert.deepEqual(pathsOf(resource.list().objects), ['n/good']);
  assert.equal(cache.undecodable, 2);
  assert.ok(lines.some((line) => line.includes(orderKey('n/bad'))));
  assert.ok(!lines.some((line) => line.includes('hunter2')));

  await writer.put('n/bad');
  await writer.putRaw('n/good', Uint8Array.of(0xff));
  await writer.delete('n/array');
  await cache.waitUntilFresh();
  assert.equal(cache.undecodable, 1);
  assert.deepEqual(pathsOf(resource.list().objects), ['n/bad']);
  assert.equal(await events.next(), '6: ADDED n/bad@4, DELETED n/good@5');
  await writer.delete('n/good');
  await writer.put('n/good');
  await cache.waitUntilFresh();
  assert.equal(cache.undecodable, 0);
  assert.equal(await events.next(), '8: ADDED n/good@8');
});

test('resources have prefixes of their own, and may be two kinds over the same objects', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  await writer.put('n/a', { phase: 'x' });
  await writer.put('n/a', { phase: 'y' });
  await put(store, '/registry/g/ordersets/n/a', orderJson('n/set').toString());
  await using cache = await openWatchCache(store, { resources: [orders] });
  const resource = cache.resource(orders);
  assert.equal(cache.resource(orders), resource);
  assert.equal(cache.resource({ ...orders, fieldsOf: () => ({ other: 'z' }) }), resource);
  const fieldsOf = (object: CachedObject | undefined): unknown => [object?.field('phase'), object?.field('other')];
  assert.deepEqual(fieldsOf(resource.get('n', 'a')), ['y', 'z']);
  assert.deepEqual(fieldsOf(resource.list({ at: 1 }).objects[0]), ['x', 'z']);
  assert.throws(() => cache.resource({ ...orders, prefix: '/registry/g/' }), { code: 'OverlappingPrefix' });
  const sets = cache.resource({ ...orders, prefix: '/registry/g/ordersets/' });
  assert.equal(sets.list().objects.length, 1);
  const global = cache.resource({ prefix: '/registry/g/types/', namespaced: false, fieldsOf: () => ({}) });
  await put(store, '/registry/g/types/t', orderJson('/t').toString());
  await cache.waitUntilFresh();
  assert.equal(global.get('', 't')?.name, 't');
});

test('loading leaves the event loop to others', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  await store.commit(Array.from({ length: 2000 }, (_, i) => ({ key: orderKey(`n/${i}`), expect: 'absent', value: orderJson(`n/${i}`) })));
  let turns = 0;
  let counting = true;
  const count = (): void => {
    turns += 1;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  await using cache = await openWatchCache(store, { resources: [orders] });
  counting = false;
  assert.equal(cache.resource(orders).list().objects.length, 2000);
  assert.ok(turns >= 8, `${turns} turns`);
});

test('waitFor waits for a revision, for so long', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  const clock = new FakeClock();
  await using cache = await openWatchCache(store, { clock });
  const reached = cache.waitFor(1);
  const late = assert.rejects(cache.waitFor(2, { timeoutMs: 500 }), { code: 'FutureRevision' });
  const stop = new AbortController();
  const aborted = assert.rejects(cache.waitFor(2, { signal: stop.signal }), /enough/);
  await writer.put('n/a');
  await reached;
  stop.abort(new Error('enough'));
  await aborted;
  await clock.advance(500);
  await late;
  assert.equal(clock.pendingTimers, 0);
  await cache.waitFor(1);
});

test('waitUntilFresh sees every write that was acknowledged before it', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  await using cache = await openWatchCache(store, { resources: [orders] });
  for (let i = 0; i < 50; i++) {
    const revision = await writer.put(`n/${i}`);
    assert.ok((await cache.waitUntilFresh()) >= revision);
    assert.ok(cache.resource(orders).get('n', String(i)) !== undefined);
  }
  await assert.rejects(cache.waitUntilFresh(AbortSignal.abort(new Error('gone'))), /gone/);
});

/** A memory store whose change feed fails with what is thrown in. */
function failingFeed(store: Store): { readonly store: Store; readonly fail: (error: Error) => void } {
  let stop = new AbortController();
  async function* changes(after: number, signal: AbortSignal): AsyncGenerator<ChangeBatch, void, void> {
    const own = new AbortController();
    stop = own;
    yield* store.changes(after, AbortSignal.any([signal, own.signal]));
    if (!signal.aborted) throw own.signal.reason;
  }
  return {
    store: new Proxy(store, {
      get(target, name) {
        const value: unknown = name === 'changes' ? changes : Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }),
    fail: (error) => stop.abort(error),
  };
}

test('a feed that fails is taken up again where it was', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  const feed = failingFeed(store);
  const clock = new FakeClock();
  await using cache = await openWatchCache(feed.store, { resources: [orders], clock });
  const events = reader(cache.resource(orders).watch({ after: 0 }));
  await writer.put('n/a');
  assert.equal(await events.next(), '1: ADDED n/a@1');
  feed.fail(new StorageError('Unavailable', 'connection lost'));
  await settle();
  await writer.put('n/b');
  await writer.delete('n/a');
  const fresh = cache.waitUntilFresh();
  await clock.advance(100);
  assert.equal(await fresh, 3);
  assert.equal(await events.next(), '3: ADDED n/b@2, DELETED n/a@3');
});

test('a feed that lost its place is loaded anew, watchers end, and readers never see a gap', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  const feed = failingFeed(store);
  const clock = new FakeClock();
  for (const path of ['n/a', 'n/b', 'n/c']) await writer.put(path);
  await using cache = await openWatchCache(feed.store, { resources: [orders], clock });
  const resource = cache.resource(orders);
  const events = reader(resource.watch({ after: 3 }));
  const ended = assert.rejects(events.next(), { code: 'Compacted' });
  feed.fail(new StorageError('Compacted', 'too old'));
  await settle();
  await writer.delete('n/a');
  await writer.put('n/d');
  await store.compact(5);
  const fresh = assert.rejects(cache.waitUntilFresh(), { code: 'Loading' });
  assert.equal(cache.loaded, false);
  for (const read of [() => resource.list(), () => resource.get('n', 'a'), () => resource.watch({ after: 3 })]) {
    assert.throws(read, { code: 'Loading' }, 'what is held may be wrong by now');
  }
  await ended;
  await fresh;
  await clock.advance(100);
  while (!cache.loaded) await settle();
  assert.equal(await cache.waitUntilFresh(), 5);
  assert.deepEqual(pathsOf(resource.list().objects), ['n/b', 'n/c', 'n/d']);
  assert.throws(() => resource.watch({ after: 4 }), { code: 'Compacted' });
  const again = reader(resource.watch({ after: 5 }));
  await writer.put('n/e');
  assert.equal(await again.next(), '6: ADDED n/e@6');
});

test('a resource asked for while the cache is loaded anew is complete', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  for (let i = 0; i < 600; i++) await writer.put(`n/${i}`);
  const feed = failingFeed(store);
  const clock = new FakeClock();
  const midway = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let gated = false;
  const slow = new Proxy(feed.store, {
    get(target, name) {
      if (name !== 'range') return Reflect.get(target, name, target);
      return async (options: RangeOptions) => {
        if (gated && options.after !== '') {
          midway.resolve();
          await gate.promise;
        }
        return target.range(options);
      };
    },
  });
  await using cache = await openWatchCache(slow, { clock, historyEvents: 10 });
  gated = true;
  feed.fail(new StorageError('Compacted', 'too old'));
  await settle();
  await writer.put('n/between');
  await clock.advance(100);
  await midway.promise;
  const resource = cache.resource(orders);
  await writer.put('n/last');
  gate.resolve();
  while (!cache.loaded) await settle();
  await cache.waitUntilFresh();
  assert.equal(resource.list().objects.length, 602);
});

test('a closed cache ends its watchers and those who wait', async () => {
  const writer = new OrderWriter();
  await using store = writer.store;
  const cache = await openWatchCache(store, { resources: [orders] });
  const ended = assert.rejects(reader(cache.resource(orders).watch({ after: 0 })).next(), { code: 'Closed' });
  const waiting = assert.rejects(cache.waitFor(5), { code: 'Closed' });
  await cache[Symbol.asyncDispose]();
  await ended;
  await waiting;
  await assert.rejects(cache.waitUntilFresh(), { code: 'Closed' });
});

test('closing the store closes the cache', async () => {
  const store = createMemoryStore();
  await using cache = await openWatchCache(store, { resources: [orders] });
  const ended = assert.rejects(reader(cache.resource(orders).watch({ after: 0 })).next(), { code: 'Closed' });
  await store[Symbol.asyncDispose]();
  await ended;
});
