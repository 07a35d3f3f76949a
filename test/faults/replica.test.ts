import { after, before, suite, test } from 'node:test';
import { eventually, type PostgresServer } from '@arc/testkit';
import { postgres, type FaultyPostgres } from './support/backends.ts';
import type { FaultServer } from './support/fault-server.ts';
import { assertSurvives, type FaultOptions } from './support/fault-world.ts';

suite('a PostgreSQL with a replica', { skip: postgres.missing }, () => {
  const resources = new AsyncDisposableStack();
  let storage: FaultyPostgres;
  let replica: PostgresServer;
  let reading: FaultOptions;
  before(async () => {
    storage = resources.use(await postgres.start());
    replica = resources.use(await storage.server.startReplica());
    reading = { storage: storage.url, readUrl: replica.url('arc'), servers: 2 };
  });
  after(() => resources.disposeAsync());

  test('that lags: what two servers answer is never older than what was acknowledged, not even when one has just started', async (t) => {
    await assertSurvives(t, { ...reading, ended: [1] }, async ({ servers }, load) => {
      await replica.execute('SELECT pg_wal_replay_pause()');
      await without(servers[0]);
      await load.progress(60);
      await servers[1]?.restart('SIGKILL');
      await load.progress(10);
      await replica.execute('SELECT pg_wal_replay_resume()');
      await load.progress(60);
    });
  });

  test('that is lost and comes back: nobody notices', async (t) => {
    await assertSurvives(t, reading, async ({ servers }, load) => {
      await replica.stop('kill');
      await without(servers[0]);
      await load.progress(60);
      await replica.start();
    });
  });

  test('that takes over from a primary that is lost, on a new timeline: what was acknowledged is there', async (t) => {
    // Acknowledged is what the replica has, too.
    await storage.server.execute(`ALTER SYSTEM SET synchronous_standby_names = '*'`);
    await storage.server.execute('SELECT pg_reload_conf()');
    await eventually(() => isSynchronous(storage.server), { what: 'the replica to be synchronous' });
    await assertSurvives(t, reading, async (_world, load) => {
      await storage.kill();
      await load.refused();
      await replica.execute(`ALTER SYSTEM SET synchronous_standby_names = ''`);
      await replica.execute('SELECT pg_promote()');
      storage.moveTo(replica);
    });
  });
});

/** Waits until a server has noticed that the replica does not answer as it should. */
async function without(server: FaultServer | undefined): Promise<void> {
  await eventually(() => server?.arc.output().includes('reading from the primary'), { what: 'the server to leave the replica' });
}

/** Raises an error in the database, the only answer that comes back, while it is not. */
async function isSynchronous(server: PostgresServer): Promise<boolean> {
  await server.execute(`DO $$ BEGIN ASSERT (SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync') = 1; END $$`);
  return true;
}
