import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '@arc/kernel';
import { createWriter, type Store, type Writer } from '@arc/storage';
import { followStore } from '@arc/storage/conformance';
import { missingPgBouncer, missingPostgres, startPgBouncer, startPostgres } from '@arc/testkit';
import { openPostgresStore } from './postgres-store.ts';
import { at, testDatabases, withParameters } from './testing/database.ts';

const skip = missingPostgres();

suite('PostgreSQL that ends under load', { skip }, async () => {
  if (skip !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const server = resources.use(await startPostgres());
  const databases = resources.use(testDatabases(server.url('postgres'), { serverStays: false }));

  for (const how of ['kill', 'fast'] as const) {
    test(`loses nothing acknowledged and applies nothing twice; feeds go on without a gap (${how})`, async () => {
      await survives(await databases.create(), async () => {
        await server.stop(how);
        await server.start();
      });
    });
  }

  const missing = missingPgBouncer();
  test('neither does it, nor PgBouncer, when PgBouncer is in between', { skip: missing }, async () => {
    await using bouncer = await startPgBouncer(server, { settings: { server_login_retry: '1' } });
    let round = 0;
    await survives(withParameters(at(bouncer, await databases.create()), { pgbouncer: 'true' }), async () => {
      if (round++ % 2 === 0) {
        await bouncer.kill();
        await bouncer.start();
      } else {
        await server.stop('kill');
        await server.start();
      }
    });
  });
});

/** Two servers under load go through crashes. */
async function survives(url: string, crash: () => Promise<void>): Promise<void> {
  await using one = await openPostgresStore({ url });
  await using two = await openPostgresStore({ url });
  const followers = [one, two].map((store) => followStore(store));
  const acknowledged = new Map<string, number>();
  const stop = new AbortController();
  const writers = [one, two].flatMap((store, index) => {
    const writer = createWriter(store);
    return Array.from({ length: 8 }, (_, i) => createUntil(stop.signal, writer, `/${index}/${i}`, acknowledged));
  });

  for (let round = 0; round < 3; round++) {
    const target = acknowledged.size + 300;
    while (acknowledged.size < target) await Promise.race([delay(2), ...writers]);
    await crash();
  }
  const target = acknowledged.size + 100;
  while (acknowledged.size < target) await Promise.race([delay(2), ...writers]);
  stop.abort();
  await Promise.all(writers);

  const newest = await one.currentRevision();
  for (const follower of followers) {
    await follower.reached(newest);
    await follower.stop();
    assert.deepEqual(
      follower.events.map(({ revision }) => revision),
      Array.from({ length: newest }, (_, i) => i + 1),
    );
    assert.equal(new Set(follower.events.map(({ key }) => key)).size, newest, 'every key was created once');
    const revisions = new Map(follower.events.map(({ key, revision }) => [key, revision]));
    for (const [key, revision] of acknowledged) assert.equal(revisions.get(key), revision, key);
  }
  assert.equal((await liveKeys(two)).size, newest);
}

/** Creates one object after the other; each must be created by its first answer, however often the connection was lost. */
async function createUntil(signal: AbortSignal, writer: Writer, prefix: string, acknowledged: Map<string, number>): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    const key = `${prefix}/${i}`;
    for (let unavailable = true; unavailable;) {
      unavailable = false;
      try {
        const outcome = await writer.write({ key, expect: 'absent', value: Buffer.from(key) });
        assert.ok(outcome.committed, `${key} is there already: it was applied twice`);
        acknowledged.set(key, outcome.revision);
      } catch (error) {
        if (codeOf(error) !== 'Unavailable') throw error;
        unavailable = true;
        await delay(20);
      }
    }
  }
}

async function liveKeys(store: Store): Promise<ReadonlySet<string>> {
  const { items } = await store.range({ prefix: '/' });
  return new Set(items.map(({ key }) => key));
}
