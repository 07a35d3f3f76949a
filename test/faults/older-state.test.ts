import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { backup, DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { endpoints, orders } from '@arc/api/arc';
import { configMaps } from '@arc/api/core';
import type { KubeObject } from '@arc/apimachinery';
import { migratePostgres } from '@arc/storage-postgres';
import {
  buildImage,
  findProgram,
  missingPostgres,
  runCommand,
  seedRegistry,
  startEtcd,
  startPostgres,
  startTestRegistry,
} from '@arc/testkit';
import { missingKubectl, watchFrom } from '../e2e/support/storage-content.ts';
import { createEndpoints, finishedOrder, installOciType, ociOrder, startWorld, type World } from '../e2e/support/world.ts';

/** A storage that is taken back to an earlier state by the means of its database, not by those of ARC. */
interface Rewindable {
  /** For `--storage`. */
  readonly url: string;
  /** Keeps the state of now, while a server may run. */
  save(): Promise<void>;
  /** Brings that state back, while none runs. */
  rewind(): Promise<void>;
}

const etcdProgram = findProgram('etcd');
const etcdctl = findProgram('etcdctl');

const storages: Readonly<
  Record<string, { readonly missing: string | undefined; start(folder: string, owner: AsyncDisposableStack): Promise<Rewindable> }>
> = {
  SQLite: {
    missing: undefined,
    async start(folder) {
      const [file, saved] = [join(folder, 'data', 'arc.db'), join(folder, 'saved.db')];
      return await Promise.resolve({
        url: `sqlite:${file}`,
        async save() {
          using database = new DatabaseSync(file, { readOnly: true });
          await backup(database, saved);
        },
        async rewind() {
          for (const suffix of ['-wal', '-shm']) await rm(`${file}${suffix}`, { force: true });
          await copyFile(saved, file);
        },
      });
    },
  },
  PostgreSQL: {
    missing: missingPostgres(),
    async start(_folder, owner) {
      const postgres = owner.use(await startPostgres({ durable: false }));
      await postgres.createDatabase('arc');
      await migratePostgres({ url: postgres.url('arc') });
      const tables = ['meta', 'live', 'log'];
      return {
        url: postgres.url('arc'),
        // As a dump does, all in one snapshot.
        save: () => runSql(postgres.url('arc'), ['CREATE SCHEMA saved', ...tables.map((t) => `CREATE TABLE saved.${t} AS TABLE arc.${t}`)]),
        rewind: () =>
          runSql(
            postgres.url('arc'),
            tables.flatMap((t) => [`TRUNCATE arc.${t}`, `INSERT INTO arc.${t} SELECT * FROM saved.${t}`]),
          ),
      };
    },
  },
  etcd: {
    missing: etcdProgram === undefined || etcdctl === undefined ? 'no etcd and etcdctl on this machine' : undefined,
    async start(folder, owner) {
      const data = join(folder, 'etcd');
      const server = owner.use(await startEtcd(etcdProgram ?? '', data));
      const snapshot = join(folder, 'etcd.snapshot');
      const run = async (...args: readonly string[]): Promise<void> => {
        const { code, stderr } = await runCommand(etcdctl ?? '', args, { env: { ETCDCTL_API: '3' } });
        assert.equal(code, 0, stderr);
      };
      return {
        url: `etcd://${server.host}`,
        save: () => run('--endpoints', server.url, 'snapshot', 'save', snapshot),
        async rewind() {
          await server.stop();
          await rm(join(data, 'data'), { recursive: true });
          await run('snapshot', 'restore', snapshot, '--data-dir', join(data, 'data'));
          await server.start();
        },
      };
    },
  },
};

for (const [name, storage] of Object.entries(storages)) {
  test(
    `an earlier state of ${name} comes back: what was delivered since is not transferred again, and ARC works on`,
    { skip: storage.missing ?? missingKubectl ?? false },
    async () => {
      await using owner = new AsyncDisposableStack();
      const folder = await mkdtemp(join(tmpdir(), 'arc-older-'));
      owner.defer(() => rm(folder, { recursive: true, force: true }));
      const [source, destination] = [owner.use(await startTestRegistry()), owner.use(await startTestRegistry())];
      const { url, save, rewind } = await storage.start(folder, owner);
      const writes = (): number => destination.requests.entries.filter(({ method }) => !['GET', 'HEAD'].includes(method)).length;
      const deliver = async ({ client }: World, image: string): Promise<void> => {
        await client.create(orders, ociOrder(image, [{ image: `demo/${image}:v1` }]));
        const { status } = await finishedOrder(client, image);
        assert.equal(status?.phase, 'Succeeded', status?.message);
      };
      for (const image of ['before', 'since', 'after']) seedRegistry(source, `demo/${image}`, buildImage([{ image }]), ['v1']);

      await using world = await startWorld({ dataDir: join(folder, 'data'), storage: url });
      await installOciType(world.client);
      await createEndpoints(world.client, source.url, destination.url);
      await deliver(world, 'before');
      await save();
      await deliver(world, 'since');
      const { metadata } = await world.client.create<KubeObject>(configMaps, {
        ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'since', namespace: 'default' } },
      });
      const written = writes();
      await world.arc.stop('SIGTERM');
      await rewind();
      await world.restart('SIGTERM');

      const { items } = await world.client.list(orders, { namespace: 'default' });
      assert.deepEqual(
        items.map((order) => order.metadata.name),
        ['before'],
      );
      assert.deepEqual(await watchFrom(world, Number(metadata.resourceVersion)), ['ERROR Expired'], 'a client that saw more begins anew');
      await deliver(world, 'since');
      assert.equal(writes(), written, 'what is at the destination stays there');
      await world.client.patch(endpoints, { namespace: 'default', name: 'dst' }, { metadata: { labels: { seen: 'yes' } } });
      await deliver(world, 'after');
      assert.ok(writes() > written);
    },
  );
}

async function runSql(url: string, statements: readonly string[]): Promise<void> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; ${statements.join('; ')}; COMMIT`);
  } finally {
    await client.end();
  }
}
