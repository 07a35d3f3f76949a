import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { Logger } from '@arc/kernel';
import { openWatchCache, type Store, type WriteItem } from '@arc/storage';
import { followStore } from '@arc/storage/conformance';
import { eventually, missingPostgres, startFaultyProxy, startPostgres } from '@arc/testkit';
import { openPostgresStore, type PostgresStoreOptions } from './postgres-store.ts';
import { at, runStatements, testDatabases, withParameters } from './testing/database.ts';
import { errorAnswer } from './testing/error-answer.ts';

const skip = missingPostgres();

suite('reading from a streaming replica', { skip }, async () => {
  if (skip !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const server = resources.use(await startPostgres({ durable: false, settings: { wal_keep_size: '256MB' } }));
  const replica = resources.use(await server.startReplica({ max_standby_streaming_delay: '0' }));
  const databases = resources.use(testDatabases(server.url('postgres'), { serverStays: false }));

  const url = await databases.create();
  const readUrl = at(replica, url);
  await replicated(url);

  async function replicated(url: string): Promise<void> {
    await eventually(
      async () => (await runStatements(at(replica, url), `SELECT to_regclass('arc.migrations') AS made`))[0]?.['made'] !== null,
      {
        what: 'the replica to have the tables',
      },
    );
  }

  async function onReplica(statement: string): Promise<void> {
    await runStatements(replica.url('postgres'), statement);
  }

  /** Resolves when the replica has replayed what the primary has written by now. */
  async function caughtUp(): Promise<void> {
    const [row] = await runStatements(server.url('postgres'), 'SELECT pg_current_wal_lsn()::text AS lsn');
    await eventually(
      async () =>
        (await runStatements(replica.url('postgres'), `SELECT pg_last_wal_replay_lsn() >= '${row?.['lsn']}' AS done`))[0]?.['done'] ===
        true,
      { what: 'the replica to catch up' },
    );
  }

  interface Opened extends AsyncDisposable {
    readonly store: Store;
    readonly log: readonly string[];
  }

  async function open(options: Partial<PostgresStoreOptions> = {}): Promise<Opened> {
    const log: string[] = [];
    const store = await openPostgresStore({ url, readUrl, logger: recording(log), ...options });
    return { store, log, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  }

  /** What the connections of a store to the replica have asked last. */
  async function askedBy(applicationName: string): Promise<string> {
    const rows = await runStatements(
      replica.url('postgres'),
      `SELECT query FROM pg_stat_activity WHERE application_name = '${applicationName}'`,
    );
    return rows.map(({ query }) => String(query)).join();
  }

  const patient = { replicaPatienceMs: 60_000 };

  test('ranges and the log come from it, what is newest does not', async () => {
    await using opened = await open({ ...patient, readUrl: withParameters(readUrl, { application_name: 'reader' }) });
    await using writer = await openPostgresStore({ url });
    const following = followStore(opened.store);
    for (let n = 0; n < 20; n++) {
      const [outcome] = await writer.commit([put(`/basic/${n}`, 'absent')]);
      assert.ok(outcome?.committed);
      assert.equal(await opened.store.currentRevision(), outcome.revision);
      assert.equal((await opened.store.get(`/basic/${n}`))?.revision, outcome.revision);
      assert.equal((await opened.store.range({ prefix: '/basic/' })).items.length, n + 1);
      assert.equal((await opened.store.range({ prefix: '/basic/', revision: outcome.revision - 1 })).items.length, n);
    }
    assert.match(await askedBy('reader'), /range_at/);
    await writer.commit([put('/basic/last', 'absent')]);
    await following.reached(await writer.currentRevision());
    await following.stop();
    assert.match(await askedBy('reader'), /FROM arc\.log WHERE revision > /);
    assert.deepEqual(opened.log, []);
  });

  test('a replica that lags delays nothing beyond its time, and no read is wrong meanwhile', async () => {
    await using opened = await open({ replicaPatienceMs: 100 });
    await using writer = await openPostgresStore({ url });
    await using cache = await openWatchCache(opened.store);
    const resource = cache.resource({ prefix: '/lag/', namespaced: true, fieldsOf: () => ({}) });
    const following = followStore(opened.store);
    await onReplica('SELECT pg_wal_replay_pause()');
    try {
      for (let n = 0; n < 10; n++) {
        const value = Buffer.from(JSON.stringify({ metadata: { name: `o${n}`, namespace: 'ns' } }));
        const [outcome] = await writer.commit([{ key: `/lag/ns/o${n}`, expect: 'absent', value }]);
        assert.ok(outcome?.committed);
        await cache.waitUntilFresh();
        assert.equal(resource.get('ns', `o${n}`)?.revision, outcome.revision);
        assert.equal((await opened.store.range({ prefix: '/lag/' })).items.length, n + 1);
      }
      await following.reached(await writer.currentRevision());
    } finally {
      await onReplica('SELECT pg_wal_replay_resume()');
    }
    await following.stop();
    assert.equal(following.interruptions, 0);
    assert.deepEqual(
      following.events.map(({ revision }) => revision),
      following.events.map((_, i) => i + 1),
    );
    assert.equal(opened.log.length, 1, opened.log.join('\n'));
    assert.match(opened.log[0] ?? '', /^warn reading from the primary .* has not replayed in time/);
  });

  test('one that is away is done without, and used again when it is back', async () => {
    await using writer = await openPostgresStore({ url });
    await replica.stop('kill');
    await using opened = await open(patient);
    const following = followStore(opened.store);
    await writer.commit([put('/away/1', 'absent')]);
    assert.equal((await opened.store.range({ prefix: '/away/' })).items.length, 1);
    await following.reached(await writer.currentRevision());
    await replica.start();
    await caughtUp();
    await eventually(
      async () => {
        await opened.store.range({ prefix: '/away/' });
        return opened.log.length === 2;
      },
      { what: 'the replica to be used again', timeoutMs: 30_000 },
    );
    await following.stop();
    assert.match(opened.log[0] ?? '', /^warn reading from the primary .*cannot be reached/);
    assert.match(opened.log[1] ?? '', /^info reading from the replica again/);
  });

  test('one that is lost in the middle of it leaves no gap', async () => {
    await using opened = await open();
    await using writer = await openPostgresStore({ url });
    const following = followStore(opened.store);
    const stop = new AbortController();
    const writing = (async () => {
      for (let n = 0; !stop.signal.aborted; n++) await writer.commit([put(`/lost/${n}`, 'absent')]);
    })();
    for (let round = 0; round < 2; round++) {
      const target = (await writer.currentRevision()) + 100;
      await following.reached(target);
      await replica.stop(round === 0 ? 'kill' : 'fast');
      await following.reached((await writer.currentRevision()) + 50);
      await replica.start();
    }
    stop.abort();
    await writing;
    await following.reached(await writer.currentRevision());
    await following.stop();
    assert.equal(following.interruptions, 0);
    assert.deepEqual(
      following.events.map(({ revision }) => revision),
      following.events.map((_, i) => i + 1),
    );
    await caughtUp();
  });

  test('a statement that is cancelled because it is in the way of replaying is asked again', async () => {
    await using proxy = await startFaultyProxy(replica);
    await using opened = await open({ ...patient, readUrl: at(proxy, readUrl) });
    await opened.store.commit([put('/conflict', 'absent')]);
    for (const sqlState of ['40001', '40P01']) {
      proxy.answerNext('range_at', errorAnswer(sqlState, 'canceling statement due to conflict with recovery'));
      assert.equal((await opened.store.range({ prefix: '/conflict' })).items.length, 1);
    }
    assert.deepEqual(opened.log, []);
    proxy.answerNext('range_at', errorAnswer('53200', 'out of memory'));
    assert.equal((await opened.store.range({ prefix: '/conflict' })).items.length, 1);
    assert.match(opened.log[0] ?? '', /^warn reading from the primary .*out of memory/);
  });

  test('history that was forgotten is refused, though the replica still has it', async () => {
    await using opened = await open(patient);
    await opened.store.commit([put('/forgotten', 'absent')]);
    const revision = await opened.store.currentRevision();
    await caughtUp();
    await onReplica('SELECT pg_wal_replay_pause()');
    try {
      await opened.store.compact(revision);
      await assert.rejects(opened.store.range({ prefix: '/', revision: revision - 1 }), { code: 'Compacted' });
      await assert.rejects(
        async () => {
          for await (const _ of opened.store.changes(revision - 1, new AbortController().signal)) return;
        },
        { code: 'Compacted' },
      );
      await assert.rejects(opened.store.range({ prefix: '/', revision: revision + 1 }), { code: 'FutureRevision' });
      assert.deepEqual(opened.log, []);
    } finally {
      await onReplica('SELECT pg_wal_replay_resume()');
    }
  });

  test('what is no replica of the database is refused at once, by name', async () => {
    await assert.rejects(open({ readUrl: url }), {
      code: 'BadDatabase',
      message: /postgres:\/\/postgres@127\S+ is no replica: it accepts writes/,
    });
    await using other = await startPostgres({ durable: false });
    await other.createDatabase(new URL(url).pathname.slice(1));
    await using foreign = await other.startReplica();
    await assert.rejects(open({ readUrl: at(foreign, url) }), {
      code: 'BadDatabase',
      message: /is a replica of another server than postgres:/,
    });
    await assert.rejects(open({ readUrl: at(replica, server.url('postgres')) }), {
      code: 'InvalidStorageUrl',
      message: /same database, arc_test_/,
    });
    await assert.rejects(open({ readUrl: withParameters(readUrl, { schema: 'other' }) }), {
      code: 'InvalidStorageUrl',
      message: /same schema, arc/,
    });
  });

  test('a replica that was promoted is not read any more', async () => {
    const own = await databases.create();
    await replicated(own);
    await using opened = await open({ url: own, readUrl: at(replica, own) });
    await using writer = await openPostgresStore({ url: own });
    await onReplica('SELECT pg_promote()');
    const insert = `INSERT INTO arc.log (revision, key, value, prior_revision, batch) VALUES (1, '/split', 'brain', 0, gen_random_uuid())`;
    await runStatements(at(replica, own), insert);
    const following = followStore(opened.store);
    await runStatements(server.url('postgres'), 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE $$LISTEN%$$');
    await eventually(
      async () => {
        await opened.store.range({ prefix: '/' });
        return opened.log.some((line) => /is no replica: it accepts writes/.test(line));
      },
      { what: 'the promoted replica to be left' },
    );
    await writer.commit([put('/whole', 'absent')]);
    await following.reached(await writer.currentRevision());
    await following.stop();
    assert.equal(
      following.events.some(({ key }) => key === '/split'),
      false,
    );
  });
});

function put(key: string, expect: WriteItem['expect'], value = key): WriteItem {
  return { key, expect, value: Buffer.from(value) };
}

/** Records warnings, and what is told of the replica. */
function recording(lines: string[]): Logger {
  const record =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (message.includes('reading from')) lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  const logger: Logger = {
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
    child: () => logger,
  };
  return logger;
}
