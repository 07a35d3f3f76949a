import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { silentLogger, type Logger } from '@arc/kernel';
import { missingPgBouncer, missingPostgres, startPgBouncer, startPostgres } from '@arc/testkit';
import { Client } from 'pg';
import { openPostgresStore } from './postgres-store.ts';
import { at, runStatements, testDatabases, withParameters } from './testing/database.ts';

const skip = missingPostgres() ?? missingPgBouncer();

suite('PgBouncer in transaction mode', { skip }, async () => {
  if (skip !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const server = resources.use(await startPostgres({ durable: false }));
  const databases = resources.use(testDatabases(server.url('postgres'), { serverStays: false }));

  test('a store leaves nothing behind in a session that others get next', async () => {
    await using bouncer = await startPgBouncer(server, { settings: { default_pool_size: '1' } });
    const url = at(bouncer, await databases.create());
    await using store = await openPostgresStore({ url: withParameters(url, { pgbouncer: 'true', statement_timeout: '1234' }) });
    await store.commit([{ key: '/a', expect: 'absent', value: Buffer.from('x') }]);
    await assert.rejects(store.range({ prefix: '/', revision: 7 }), { code: 'FutureRevision' });
    await store.compact(1);
    const [session] = await runStatements(
      url,
      `SELECT (SELECT count(*)::int FROM pg_prepared_statements) AS statements, (SELECT count(*)::int FROM pg_listening_channels()) AS channels,
        (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS locks, current_setting('statement_timeout') AS timeout,
        current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('enable_seqscan') AS seqscan,
        (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()) AS connections`,
    );
    assert.deepEqual(session, { statements: 0, channels: 0, locks: 0, timeout: '0', idle: '0', seqscan: 'on', connections: 1 });
  });

  test('a timeout of the transaction holds though the session has none', async () => {
    await using bouncer = await startPgBouncer(server);
    const own = await databases.create();
    await using store = await openPostgresStore({ url: withParameters(at(bouncer, own), { pgbouncer: 'true', statement_timeout: '300' }) });
    const locking = new Client({ connectionString: own });
    await locking.connect();
    await locking.query('BEGIN; LOCK TABLE arc.live IN ACCESS EXCLUSIVE MODE');
    await assert.rejects(store.get('/a'), { code: 'Unavailable', message: /did not answer in time/ });
    await locking.end();
    assert.equal(await store.get('/a'), undefined);
  });

  test('pgbouncer=true that was forgotten is asked for, or found out and done without', async () => {
    const own = await databases.create();
    await using strict = await startPgBouncer(server);
    await assert.rejects(openPostgresStore({ url: at(strict, own) }), {
      code: 'Unavailable',
      message: /stands behind a pooler/,
      hint: 'Add pgbouncer=true to the URL.',
    });
    await using lenient = await startPgBouncer(server, { settings: { ignore_startup_parameters: 'statement_timeout' } });
    const warned = Promise.withResolvers<string>();
    const logger: Logger = { ...silentLogger, warn: (message) => warned.resolve(message) };
    await using store = await openPostgresStore({ url: at(lenient, own), logger });
    assert.match(await warned.promise, /add pgbouncer=true/);
    await using other = await openPostgresStore({ url: own });
    await other.commit([{ key: '/a', expect: 'absent', value: Buffer.from('x') }]);
    for await (const { revision } of store.changes(0, new AbortController().signal)) if (revision === 1) break;
  });
});
