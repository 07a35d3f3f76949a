import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { importConformance } from '@arc/storage/conformance';
import { missingPostgres, startPostgres } from '@arc/testkit';
import { openPostgresImport } from './import-target.ts';
import { migratePostgres } from './migrate.ts';
import { openPostgresStore } from './postgres-store.ts';
import { testDatabases, withParameters } from './testing/database.ts';

const given = process.env['ARC_TEST_POSTGRES_URL'];
const skip = given === undefined ? missingPostgres() : undefined;

suite('filling a PostgreSQL database', { skip }, async () => {
  if (skip !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const adminUrl = given ?? resources.use(await startPostgres({ durable: false })).url('postgres');
  const databases = resources.use(testDatabases(adminUrl, { serverStays: given !== undefined }));
  const database = await databases.create({ migrated: false });
  let schemas = 0;
  const place = async (parameters: Readonly<Record<string, string>> = {}): Promise<string> => {
    const url = withParameters(database, { ...parameters, schema: `import_${schemas++}` });
    await migratePostgres({ url });
    return url;
  };

  for (const [name, parameters] of [
    ['the PostgreSQL database', {}],
    ['the PostgreSQL database behind a pooler', { pgbouncer: 'true' }],
  ] as const) {
    importConformance(name, {
      async place() {
        const url = await place(parameters);
        return { openTarget: () => openPostgresImport({ url }), openStore: () => openPostgresStore({ url }) };
      },
    });
  }

  test('a server that is running has its writes refused meanwhile, and is told that history has gone', async () => {
    const url = await place();
    await using store = await openPostgresStore({ url });
    await store.commit([{ key: '/a', expect: 'absent', value: Buffer.from('x') }]);
    await using target = await openPostgresImport({ url });
    await target.begin({ fingerprint: 'f', objects: 0, revision: 0, command: 'arcctl storage restore' });
    const write = store.commit([{ key: '/b', expect: 'absent', value: Buffer.from('x') }]);
    await assert.rejects(write, { code: 'BadDatabase', message: /objects are being copied into it/, hint: /storage copy or restore/ });
    await target.finish(7);
    await assert.rejects(store.changes(1, new AbortController().signal)[Symbol.asyncIterator]().next(), { code: 'Compacted' });
    const [outcome] = await store.commit([{ key: '/b', expect: 'absent', value: Buffer.from('x') }]);
    assert.equal(outcome?.committed === true && outcome.revision, 8);
  });
});
