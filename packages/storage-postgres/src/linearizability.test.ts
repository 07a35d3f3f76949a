import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, suite, test } from 'node:test';
import type { Store } from '@arc/storage';
import { missingPostgres, startPostgres } from '@arc/testkit';
import { openPostgresStore } from './postgres-store.ts';
import { testDatabases, withParameters } from './testing/database.ts';
import { followStore } from './testing/follow-store.ts';
import { contradictions, recordHistory, type Recorded } from './testing/history.ts';

// A long run: ARC_TEST_OPERATIONS=100000 node --test packages/storage-postgres/src/linearizability.test.ts
const operations = Number(process.env['ARC_TEST_OPERATIONS'] ?? 4000);
const given = process.env['ARC_TEST_POSTGRES_URL'];
const skip = given === undefined ? missingPostgres() : undefined;

suite('linearizability', { skip }, async () => {
  if (skip !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const adminUrl = given ?? resources.use(await startPostgres({ durable: false })).url('postgres');
  const databases = resources.use(testDatabases(adminUrl, { serverStays: given !== undefined }));

  test('random operations on three stores look like one sequence that agrees with real time', async () => {
    const url = await databases.create();
    await using stores = new AsyncDisposableStack();
    const open = async (url: string): Promise<Store> => stores.use(await openPostgresStore({ url }));
    const all = [await open(url), await open(url), await open(withParameters(url, { pgbouncer: 'true' }))] as const;
    const following = followStore(all[1]);
    const keys = Array.from({ length: 20 }, (_, i) => `/k${i}`);
    const recorded = await recordHistory(all, { operations, clients: 6, keys, random: (below) => randomInt(below) });
    await following.reached(await all[0].currentRevision());
    await following.stop();
    assert.ok(recorded.length >= operations);
    assert.ok(following.events.length > operations / 10, 'many writes were committed');
    assert.ok(
      recorded.some(({ kind, ...rest }) => kind === 'write' && 'revision' in rest && rest.revision === undefined),
      'and some refused',
    );
    assert.deepEqual(contradictions(recorded, following.events).slice(0, 5), []);
  });
});

test('the check finds a stale read, a lost update, a torn snapshot and a revision given twice', () => {
  const value = Buffer.from('x');
  const log = [
    { key: '/a', revision: 1, value, previous: undefined },
    { key: '/a', revision: 2, value, previous: { key: '/a', revision: 1, value } },
    { key: '/b', revision: 3, value, previous: undefined },
  ];
  const writes: readonly Recorded[] = [
    { kind: 'write', key: '/a', expect: 'absent', isDelete: false, began: 0, ended: 1, revision: 1, met: 0 },
    { kind: 'write', key: '/a', expect: 1, isDelete: false, began: 2, ended: 3, revision: 2, met: 1 },
    { kind: 'write', key: '/b', expect: 'absent', isDelete: false, began: 4, ended: 5, revision: 3, met: 0 },
  ];
  const [first, second, third] = writes;
  assert.ok(first?.kind === 'write' && second?.kind === 'write' && third !== undefined);
  const check = (...recorded: readonly Recorded[]): readonly string[] => contradictions(recorded, log);
  assert.deepEqual(check(...writes, { kind: 'read', key: '/a', began: 6, ended: 7, found: 2 }), []);
  assert.match(check(...writes, { kind: 'read', key: '/a', began: 6, ended: 7, found: 1 }).join(), /stale/);
  assert.match(check(...writes, { kind: 'read', key: '/a', began: 6, ended: 7, found: 0 }).join(), /stale/);
  assert.match(check(...writes, { kind: 'read', key: '/b', began: 6, ended: 7, found: 9 }).join(), /invented/);
  assert.match(check(...writes, { kind: 'snapshot', began: 6, ended: 7, revision: 2, found: undefined }).join(), /snapshot out of order/);
  const torn = new Map([
    ['/b', 3],
    ['/a', 1],
  ]);
  assert.match(check(...writes, { kind: 'snapshot', began: 6, ended: 7, revision: 3, found: torn }).join(), /not of the snapshot/);
  assert.match(check(first, { ...second, expect: 'absent', met: 0 }, third).join(), /lost an update/);
  assert.match(check(first, second, third, { ...second, began: 6, ended: 7 }).join(), /given twice/);
  assert.match(check(first, { ...second, began: 6, ended: 7 }, third).join(), /out of order/);
  assert.match(check(...writes, { ...second, revision: undefined, expect: 2, met: 2, began: 6, ended: 7 }).join(), /though it matched/);
});
