import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { createWriter, openWatchCache, type Store } from '@arc/storage';
import { followStore } from '@arc/storage/conformance';
import { missingPostgres, startPostgres } from '@arc/testkit';
import { openPostgresStore } from './postgres-store.ts';
import { testDatabases, withParameters } from './testing/database.ts';

const given = process.env['ARC_TEST_POSTGRES_URL'];
const skip = given === undefined ? missingPostgres() : undefined;

suite('three stores on one database', { skip }, async () => {
  if (skip !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const adminUrl = given ?? resources.use(await startPostgres({ durable: false })).url('postgres');
  const databases = resources.use(testDatabases(adminUrl, { serverStays: given !== undefined }));

  interface Stores extends AsyncDisposable {
    readonly all: readonly [Store, Store, Store];
  }

  /** The third is behind a pooler, where nothing tells of changes. */
  async function openThree(): Promise<Stores> {
    const url = await databases.create();
    const polling = withParameters(url, { pgbouncer: 'true' });
    const all = [await openPostgresStore({ url }), await openPostgresStore({ url }), await openPostgresStore({ url: polling })] as const;
    return {
      all,
      [Symbol.asyncDispose]: async () => {
        for (const store of all) await store[Symbol.asyncDispose]();
      },
    };
  }

  test('number all writes in one gap-free sequence, and every feed delivers it once and in order', async () => {
    await using stores = await openThree();
    const followers = stores.all.map((store) => followStore(store));
    const acknowledged = new Map<number, string>();
    const writers = stores.all.flatMap((store, index) => {
      const writer = createWriter(store);
      return Array.from({ length: 6 }, async (_, i) => {
        let expect: 'absent' | number = 'absent';
        for (let n = 0; n < 60; n++) {
          const key = `/own/${index}/${i}`;
          const outcome = await writer.write({ key, expect, value: n % 10 === 9 ? null : Buffer.from(`${n}`) });
          assert.ok(outcome.committed);
          assert.equal(acknowledged.has(outcome.revision), false);
          acknowledged.set(outcome.revision, key);
          expect = n % 10 === 9 ? 'absent' : outcome.revision;
          await writer.write({ key: '/contended', expect: outcome.revision - 1, value: Buffer.from(key) });
        }
      });
    });
    await Promise.all(writers);
    const newest = await stores.all[0].currentRevision();
    const [first, ...others] = followers;
    for (const follower of followers) {
      await follower.reached(newest);
      await follower.stop();
      assert.equal(follower.interruptions, 0);
    }
    assert.deepEqual(
      first?.events.map(({ revision }) => revision),
      Array.from({ length: newest }, (_, i) => i + 1),
    );
    for (const other of others) assert.deepEqual(plain(other.events), plain(first?.events ?? []));
    for (const event of first?.events ?? []) {
      const key = acknowledged.get(event.revision);
      if (key !== undefined) assert.equal(event.key, key);
    }
  });

  test('a write accepted by one is in the next consistent read of every other', async () => {
    await using stores = await openThree();
    const prefix = '/registry/orders/';
    const caches = await Promise.all(stores.all.map((store) => openWatchCache(store)));
    const resources = caches.map((cache) => cache.resource({ prefix, namespaced: true, fieldsOf: () => ({}) }));
    try {
      for (let n = 0; n < 60; n++) {
        const key = `${prefix}default/o${n}`;
        const value = Buffer.from(JSON.stringify({ metadata: { name: `o${n}`, namespace: 'default' } }));
        const [outcome] = (await stores.all[n % 3]?.commit([{ key, expect: 'absent', value }])) ?? [];
        assert.ok(outcome?.committed);
        for (const [i, store] of stores.all.entries()) {
          assert.ok((await store.currentRevision()) >= outcome.revision);
          assert.equal((await store.get(key))?.revision, outcome.revision);
          assert.equal((await store.range({ prefix })).items.length, n + 1);
          await caches[i]?.waitUntilFresh();
          assert.equal(resources[i]?.get('default', `o${n}`)?.revision, outcome.revision, `${key} in the cache of ${i}`);
        }
      }
    } finally {
      for (const cache of caches) await cache[Symbol.asyncDispose]();
    }
  });

  test('lose no update of one another', async () => {
    await using stores = await openThree();
    await stores.all[0].commit([{ key: '/counter', expect: 'absent', value: Buffer.from('0') }]);
    const increment = async (store: Store): Promise<void> => {
      for (let current = await store.get('/counter'); ;) {
        const count = Number(Buffer.from(current?.value ?? []).toString());
        const [outcome] = await store.commit([{ key: '/counter', expect: current?.revision ?? 0, value: Buffer.from(String(count + 1)) }]);
        if (outcome?.committed === true) return;
        current = outcome?.current;
      }
    };
    await Promise.all(stores.all.flatMap((store) => Array.from({ length: 10 }, () => increment(store))));
    assert.equal(Buffer.from((await stores.all[1].get('/counter'))?.value ?? []).toString(), '30');
    assert.equal(await stores.all[2].currentRevision(), 31);
  });

  test('compaction by one holds for all', async () => {
    await using stores = await openThree();
    const [one, two, three] = stores.all;
    for (let n = 0; n < 20; n++) await one.commit([{ key: `/${n}`, expect: 'absent', value: Buffer.from('x') }]);
    await Promise.all([one.compact(15), two.compact(10), three.compact(12)]);
    for (const store of stores.all) {
      assert.equal(await store.compactedRevision(), 15);
      await assert.rejects(store.range({ prefix: '/', revision: 14 }), { code: 'Compacted' });
      assert.equal((await store.range({ prefix: '/', revision: 15 })).items.length, 15);
    }
  });
});

function plain(
  events: readonly { readonly key: string; readonly revision: number; readonly value: Uint8Array | null }[],
): readonly unknown[] {
  return events.map(({ key, revision, value }) => [key, revision, value === null ? null : Buffer.from(value).toString()]);
}
