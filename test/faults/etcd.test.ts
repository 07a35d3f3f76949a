import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { eventually, type EtcdServer } from '@arc/testkit';
import { assertAway } from './support/assert-away.ts';
import { assertRefusesWrites } from './support/assert-refuses-writes.ts';
import { etcd } from './support/backends.ts';
import { databaseFaults, unready } from './support/database-faults.ts';
import { assertSurvives } from './support/fault-world.ts';
import { missingMounts, mountSmallVolume } from './support/small-volume.ts';

const mebibyte = 1024 * 1024;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

databaseFaults(etcd);

test(
  'an etcd over its quota: writes are refused, reads go on, and so do writes when its alarm is disarmed',
  {
    skip: etcd.missing,
  },
  async (t) => {
    await using storage = await etcd.start({ args: ['--quota-backend-bytes', String(24 * mebibyte)] });
    const { server } = storage;
    const put = (key: string): Promise<unknown> => server.call('kv/put', { key: base64(key), value: base64('x'.repeat(mebibyte)) });
    // What compaction can give back later, older than anything the load does.
    for (let n = 0; n < 5; n++) await put('/ballast');
    const { header } = (await server.call('kv/deleterange', { key: base64('/ballast') })) as { header: { revision: string } };
    await assertSurvives(t, { storage: storage.url }, async (world, load) => {
      await assert.rejects(async () => {
        for (;;) await put('/filling');
      }, /space exceeded/);
      await assertRefusesWrites(world, load);
      await server.call('kv/compaction', { revision: header.revision, physical: true });
      await server.call('maintenance/defragment', {});
      const { alarms } = (await server.call('maintenance/alarm', { action: 'GET' })) as { alarms: readonly object[] };
      for (const alarm of alarms) await server.call('maintenance/alarm', { ...alarm, action: 'DEACTIVATE' });
    });
  },
);

test(
  'an etcd on a full volume, which ends it: 5xx until there is room and it runs again',
  {
    skip: etcd.missing ?? missingMounts,
  },
  async (t) => {
    // Its log takes two files of 64 MiB beforehand.
    await using volume = await mountSmallVolume(160 * mebibyte);
    await using storage = await etcd.start({ folder: volume.path });
    await assertSurvives(t, { storage: storage.url }, async (world) => {
      volume.fill();
      await unready(world);
      await assertAway(world.client);
      await storage.kill();
      await volume.free();
      await storage.start();
    });
  },
);

suite('an etcd of three members', { skip: etcd.missing }, () => {
  const leaderOf = (members: readonly EtcdServer[]): Promise<EtcdServer> =>
    eventually(
      async () => {
        const leads = await Promise.all(members.map((member) => member.isLeader().catch(() => false)));
        return members[leads.indexOf(true)];
      },
      { what: 'a leader' },
    );

  test('that loses its leader, by kill -9 and by silence: the load goes on', async (t) => {
    await using storage = await etcd.startCluster();
    await assertSurvives(t, { storage: storage.url }, async (_world, load) => {
      const killed = await leaderOf(storage.members);
      await killed.kill();
      await load.progress(30);
      await killed.start();
      const silent = await leaderOf(storage.members);
      silent.pause();
      await load.progress(30);
      silent.resume();
    });
  });

  test('that loses two: 5xx until there is a majority again', async (t) => {
    await using storage = await etcd.startCluster();
    await assertSurvives(t, { storage: storage.url }, async (world, load) => {
      const [first, second] = storage.members;
      await Promise.all([first?.kill(), second?.kill()]);
      await unready(world);
      await assertAway(world.client);
      await Promise.all([first?.start(), second?.start()]);
      await load.progress(30);
    });
  });
});
