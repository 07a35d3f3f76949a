import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FakeClock } from '@arc/kernel';
import type { ChangeEvent, Store, WriteItem } from '@arc/storage';
import { followStore } from '@arc/storage/conformance';
import { missingPostgres, startFaultyProxy, startPostgres } from '@arc/testkit';
import type { Cut, FaultyProxy } from '@arc/testkit';
import { openPostgresStore, type PostgresStoreOptions } from './postgres-store.ts';
import { testDatabases, withParameters } from './testing/database.ts';

const skip = missingPostgres();
/** In every commit, and in nothing else. */
const commitMarker = 'commit_batch';

suite('a connection that is lost in mid-commit', { skip }, async () => {
  if (skip !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const server = resources.use(await startPostgres({ durable: false }));
  const databases = resources.use(testDatabases(server.url('postgres'), { serverStays: false }));

  interface Setup extends AsyncDisposable {
    readonly store: Store;
    readonly proxy: FaultyProxy;
    /** Past the proxy. */
    readonly directUrl: string;
  }

  async function setUp(options: Partial<PostgresStoreOptions> = {}, parameters: Record<string, string> = {}): Promise<Setup> {
    await using starting = new AsyncDisposableStack();
    const proxy = starting.use(await startFaultyProxy(server));
    const directUrl = await databases.create();
    const url = new URL(withParameters(directUrl, parameters));
    url.port = String(proxy.port);
    const store = starting.use(await openPostgresStore({ url: url.href, ...options }));
    const owned = starting.move();
    return { store, proxy, directUrl, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  }

  for (const pooler of ['false', 'true']) {
    for (const cut of ['unsent', 'unanswered', 'late'] as const satisfies readonly Cut[]) {
      test(`${cut}: is committed once, with the right outcomes (pgbouncer=${pooler})`, async () => {
        await using setup = await setUp({}, { pgbouncer: pooler });
        const { store, proxy } = setup;
        await store.commit([put('/taken', 'absent', 'first'), put('/updated', 'absent', 'old')]);
        proxy.cutNext(cut, commitMarker);
        const outcomes = await store.commit([
          put('/created', 'absent', 'new'),
          put('/taken', 'absent', 'second'),
          put('/updated', 2, 'newer'),
          put('/missing', 7, 'nothing'),
        ]);
        if (cut === 'late') assert.match(await proxy.deliver(), /AR001|was given up/);
        assert.deepEqual(outcomes, [
          { committed: true, revision: 3, previous: undefined },
          { committed: false, current: { key: '/taken', revision: 1, value: Buffer.from('first') } },
          { committed: true, revision: 4, previous: { key: '/updated', revision: 2, value: Buffer.from('old') } },
          { committed: false, current: undefined },
        ]);
        assert.equal((await store.commit([put('/after', 'absent', 'x')]))[0]?.committed, true);
        assert.deepEqual(
          (await history(store)).map(({ revision, key }) => `${revision} ${key}`),
          ['1 /taken', '2 /updated', '3 /created', '4 /updated', '5 /after'],
        );
      });
    }
  }

  test('is OutcomeUnknown when the database does not come back, and never acknowledged by guessing', async () => {
    await using setup = await setUp({ settleMs: 300 });
    const { store, proxy } = setup;
    proxy.cutNext('unanswered', commitMarker);
    const commit = store.commit([put('/a', 'absent', 'x')]);
    // The answer is lost together with every way to ask for it.
    const told = assert.rejects(commit, (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, 'OutcomeUnknown');
      assert.match(error.hint, /may or may not/);
      return true;
    });
    proxy.setDown(true);
    await told;
    await assert.rejects(store.commit([put('/b', 'absent', 'x')]), { code: 'Unavailable', retryable: true });
    await assert.rejects(store.get('/a'), { code: 'Unavailable', retryable: true });
    proxy.setDown(false);
    const [outcome] = await store.commit([put('/c', 'absent', 'x')]);
    assert.equal(outcome?.committed, true);
  });

  test('a store is closed soon though the database has fallen silent', async () => {
    const clock = new FakeClock();
    await using setup = await setUp({ clock });
    const { store, proxy } = setup;
    await Promise.all([store.get('/a'), store.get('/b')]);
    proxy.withhold('client');
    // One connection is in use, one is not, and one listens.
    const reading = assert.rejects(store.get('/a'), { code: 'Unavailable', message: /cannot be reached: Connection terminated/ });
    await nextTurn();
    let isClosed = false;
    const closed = store[Symbol.asyncDispose]().then(() => (isClosed = true));
    for (let waited = 0; !isClosed && waited < 10_000; waited++) await clock.advance(1_000);
    await Promise.all([closed, reading]);
  });

  test('a feed goes on by itself when the connection that listens comes back', async () => {
    await using setup = await setUp();
    const { store, proxy, directUrl } = setup;
    await using other = await openPostgresStore({ url: directUrl });
    const following = followStore(store);
    await store.commit([put('/a', 'absent', 'x')]);
    proxy.setDown(true);
    await other.commit([put('/b', 'absent', 'x')]);
    proxy.setDown(false);
    await following.reached(2);
    await other.commit([put('/c', 'absent', 'x')]);
    await following.reached(3);
    await following.stop();
    assert.deepEqual(
      following.events.map(({ key }) => key),
      ['/a', '/b', '/c'],
    );
    assert.equal(following.interruptions, 0);
  });
});

function put(key: string, expect: WriteItem['expect'], value: string): WriteItem {
  return { key, expect, value: Buffer.from(value) };
}

async function history(store: Store): Promise<readonly ChangeEvent[]> {
  const following = followStore(store);
  await following.reached(await store.currentRevision());
  await following.stop();
  return following.events;
}
