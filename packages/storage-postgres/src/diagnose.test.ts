import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { missingPostgres, startPostgres } from '@arc/testkit';
import { diagnosePostgres } from './diagnose.ts';
import { openPostgresImport } from './import-target.ts';
import { openPostgresStore } from './postgres-store.ts';
import { runStatements, testDatabases } from './testing/database.ts';

const given = process.env['ARC_TEST_POSTGRES_URL'];
const skip = given === undefined ? missingPostgres() : undefined;

suite('diagnosing a PostgreSQL database', { skip }, async () => {
  if (skip !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const adminUrl = given ?? resources.use(await startPostgres({ durable: false })).url('postgres');
  const databases = resources.use(testDatabases(adminUrl, { serverStays: given !== undefined }));

  async function filled(): Promise<string> {
    const url = await databases.create();
    await using store = await openPostgresStore({ url });
    const value = Buffer.from('x');
    await store.commit(['/a', '/b', '/c'].map((key) => ({ key, expect: 'absent', value })));
    await store.commit([{ key: '/b', expect: 2, value: null }]);
    return url;
  }

  const checksOf = async (url: string): Promise<unknown> => (await diagnosePostgres({ url })).map(({ check, key }) => [check, key]);

  test('finds nothing in one that is as it was written or filled', async () => {
    const url = await filled();
    assert.deepEqual(await checksOf(url), []);
    {
      await using target = await openPostgresImport({ url });
      await target.begin({ fingerprint: 'f', objects: 1, revision: 1, command: 'c' });
      await target.write([{ key: '/a', revision: 1, value: Buffer.from('x') }]);
      await target.finish(1);
    }
    assert.deepEqual(await checksOf(url), []);
    await using store = await openPostgresStore({ url });
    await store.commit([{ key: '/a', expect: 1, value: Buffer.from('y') }]);
    assert.deepEqual(await checksOf(url), []);
  });

  test('finds objects that somebody else has written, removed or brought back', async () => {
    const url = await filled();
    await runStatements(
      url,
      `UPDATE arc.live SET value = 'forged' WHERE key = '/a';
      INSERT INTO arc.live (key, revision, value) VALUES ('/b', 2, 'x'), ('/new', 99, 'x');
      DELETE FROM arc.live WHERE key = '/c'`,
    );
    assert.deepEqual(await checksOf(url), [
      ['log', '/a'],
      ['log', '/b'],
      ['log', '/c'],
      ['log', '/new'],
    ]);
  });

  test('finds an index that is not valid', async () => {
    const url = await filled();
    await runStatements(url, `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'arc.live_by_name'::regclass`);
    const [finding] = await diagnosePostgres({ url });
    assert.deepEqual([finding?.check, finding?.hint], ['index', 'Build it again: REINDEX INDEX arc.live_by_name']);
  });
});
