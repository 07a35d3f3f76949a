import { FakeClock, silentLogger } from '@arc/kernel';
import { createMemoryStore, createWriter, openWatchCache } from '@arc/storage';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expireObjects } from './expire-objects.ts';

const minute = 60_000;
const ttlMs = 60 * minute;
const resource = { prefix: '/registry/notes/', namespaced: true, fieldsOf: () => ({}) };

async function setUp() {
  const clock = new FakeClock();
  const store = createMemoryStore();
  const writer = createWriter(store);
  const revisions = new Map<string, number>();
  const write = async (name: string, created = clock.now()): Promise<void> => {
    const metadata = { namespace: 'ns', name, uid: name, creationTimestamp: new Date(created).toISOString() };
    const value = Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'Note', metadata }));
    const outcome = await writer.write({ key: `${resource.prefix}ns/${name}`, expect: revisions.get(name) ?? 'absent', value });
    assert.ok(outcome.committed);
    revisions.set(name, outcome.revision);
  };
  const start = async (): Promise<{ names: () => string[] } & AsyncDisposable> => {
    const watchCache = await openWatchCache(store, { resources: [resource] });
    const cache = watchCache.resource(resource);
    const expiry = expireObjects({ cache, writer, ttlMs, clock, logger: silentLogger });
    return {
      names: () => cache.list().objects.map(({ name }) => name),
      async [Symbol.asyncDispose]() {
        expiry[Symbol.dispose]();
        await watchCache[Symbol.asyncDispose]();
      },
    };
  };
  return { clock, write, start };
}

test('what nobody has written for the time goes soon after, what is written again stays', async () => {
  const { clock, write, start } = await setUp();
  await using server = await start();
  await write('old');
  await write('repeated');
  await clock.advance(40 * minute);
  await write('repeated');
  await write('young');
  await clock.advance(19 * minute);
  assert.deepEqual(server.names(), ['old', 'repeated', 'young']);
  await clock.advance(12 * minute);
  assert.deepEqual(server.names(), ['repeated', 'young']);
  await clock.advance(40 * minute);
  assert.deepEqual(server.names(), []);
});

test('after a restart, what was made long ago goes at the first look, and the rest in its time', async () => {
  const { clock, write, start } = await setUp();
  await write('ancient', clock.now() - ttlMs);
  await write('recent', clock.now() - 30 * minute);
  await using server = await start();
  await clock.advance(6 * minute);
  await write('new');
  assert.deepEqual(server.names(), ['new', 'recent']);
  await clock.advance(30 * minute);
  assert.deepEqual(server.names(), ['new']);
});
