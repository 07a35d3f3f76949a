import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, suite, test } from 'node:test';
import { missingPostgres, startPostgres } from '@arc/testkit';
import { migratePostgres } from './migrate.ts';
import { migrations, schemaVersion } from './migrations/all.ts';
import { openPostgresStore } from './postgres-store.ts';
import { runStatements, testDatabases, withParameters } from './testing/database.ts';
import { dumpSchema } from './testing/dump-schema.ts';

const given = process.env['ARC_TEST_POSTGRES_URL'];
const skip = given === undefined ? missingPostgres() : undefined;

test('migrations are numbered from 1 without gaps', () => {
  assert.deepEqual(
    migrations.map(({ version }) => version),
    Array.from({ length: schemaVersion }, (_, i) => i + 1),
  );
});

suite('migrating', { skip }, async () => {
  if (skip !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const adminUrl = given ?? resources.use(await startPostgres({ durable: false })).url('postgres');
  const databases = resources.use(testDatabases(adminUrl, { serverStays: given !== undefined }));

  test('makes the schema once, however many processes want it', async () => {
    const url = await databases.create({ migrated: false });
    const results = await Promise.all(Array.from({ length: 4 }, () => migratePostgres({ url })));
    const applied = results.filter((result) => result.applied.length > 0);
    assert.deepEqual(applied, [{ from: 0, to: schemaVersion, applied: migrations.map(({ name }) => name) }]);
    assert.deepEqual(await migratePostgres({ url }), { from: schemaVersion, to: schemaVersion, applied: [] });
    await using store = await openPostgresStore({ url });
    assert.equal(await store.currentRevision(), 0);
  });

  test('goes on from an older version and keeps what is there', async () => {
    const url = await databases.create();
    {
      await using store = await openPostgresStore({ url });
      await store.commit([{ key: '/a', expect: 'absent', value: Buffer.from('x') }]);
    }
    await runStatements(
      url,
      `DROP VIEW arc.artifacts, arc.orders, arc.conditions, arc.objects; DROP INDEX arc.live_by_name;
      DROP FUNCTION arc.decoded, arc.part_of; DROP TABLE arc.import; DELETE FROM arc.migrations WHERE version > 1`,
    );
    await assert.rejects(openPostgresStore({ url }), { code: 'BadDatabase', message: /has version 1; this ARC works with 3/ });
    assert.deepEqual((await migratePostgres({ url })).applied, ['reporting views', 'imports']);
    await using store = await openPostgresStore({ url });
    assert.equal((await store.get('/a'))?.revision, 1);
  });

  test('two schemas of one database know nothing of each other', async () => {
    const url = await databases.create();
    const other = withParameters(url, { schema: 'arc_test' });
    await migratePostgres({ url: other });
    await using one = await openPostgresStore({ url });
    await using two = await openPostgresStore({ url: other });
    await Promise.all([one, two].map((store) => store.commit([{ key: '/a', expect: 'absent', value: Buffer.from('x') }])));
    assert.deepEqual(await Promise.all([one.currentRevision(), two.currentRevision()]), [1, 1]);
  });

  test('a failing migration leaves nothing behind', async () => {
    const url = await databases.create({ migrated: false });
    // A function of that name that migration 1 cannot make again, in a schema that otherwise looks like ours.
    await runStatements(
      url,
      `CREATE SCHEMA arc; CREATE TABLE arc.migrations (version integer PRIMARY KEY, name text NOT NULL);
      CREATE FUNCTION arc.take_writer_lock() RETURNS void LANGUAGE sql AS ''`,
    );
    await assert.rejects(migratePostgres({ url }), { code: 'BadDatabase', message: /take_writer_lock/ });
    const [row] = await runStatements(url, `SELECT to_regclass('arc.live') AS live`);
    assert.equal(row?.['live'], null);
  });

  test('schema.sql is what the migrations make', async (t) => {
    const file = new URL('../schema.sql', import.meta.url);
    const [version] = await runStatements(adminUrl, `SELECT current_setting('server_version_num')::integer / 10000 AS major`);
    if (version?.['major'] !== 18) {
      t.skip(`PostgreSQL ${String(version?.['major'])} prints definitions differently; the dump is of 18`);
      return;
    }
    const dump = await dumpSchema(await databases.create(), 'arc');
    if (process.env['ARC_UPDATE_DUMPS'] === '1') await writeFile(file, dump);
    assert.equal(await readFile(file, 'utf8'), dump, 'run this test with ARC_UPDATE_DUMPS=1 to write it anew');
  });
});
