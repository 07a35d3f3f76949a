import { test } from 'node:test';

import { assertRefusesWrites } from './support/assert-refuses-writes.ts';
import { postgres } from './support/backends.ts';
import { databaseFaults } from './support/database-faults.ts';
import { assertSurvives } from './support/fault-world.ts';
import { missingMounts, mountSmallVolume } from './support/small-volume.ts';

const mebibyte = 1024 * 1024;

databaseFaults(postgres);

test('a PostgreSQL that accepts no writes: they are refused, reads go on', { skip: postgres.missing }, async (t) => {
  await using storage = await postgres.start();
  await assertSurvives(t, { storage: storage.url }, async (world, load) => {
    await storage.setReadOnly(true);
    await assertRefusesWrites(world, load);
    await storage.setReadOnly(false);
  });
});

test(
  'a PostgreSQL on a full volume: writes are refused, reads go on, and so do writes when there is room',
  {
    skip: postgres.missing ?? missingMounts,
  },
  async (t) => {
    await using volume = await mountSmallVolume(160 * mebibyte);
    await using storage = await postgres.start({ dataFolder: volume.path });
    await assertSurvives(t, { storage: storage.url }, async (world, load) => {
      for (let i = 0; i < 2; i++) {
        volume.fill();
        await assertRefusesWrites(world, load);
        await volume.free();
        await load.progress(30);
      }
    });
  },
);
