import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { startEmbeddedArc } from '@arc/testkit';
import { assertRefusesWrites } from './support/assert-refuses-writes.ts';
import { assertStops } from './support/assert-stops.ts';
import { startFaultServer } from './support/fault-server.ts';
import { assertSurvives } from './support/fault-world.ts';
import { bindMount, missingMounts, mountSmallVolume } from './support/small-volume.ts';

const mebibyte = 1024 * 1024;
const configMaps = '/api/v1/namespaces/default/configmaps';

test('a volume that is full: writes are refused, reads go on, and so do writes when there is room', { skip: missingMounts }, async (t) => {
  await using volume = await mountSmallVolume(8 * mebibyte);
  await assertSurvives(t, { storage: `sqlite:${join(volume.path, 'arc.db')}` }, async (world, load) => {
    for (let i = 0; i < 2; i++) {
      volume.fill();
      await assertRefusesWrites(world, load);
      await volume.free();
      await load.progress(30);
    }
  });
});

test('a database that another program holds: writes are refused until it lets go', async (t) => {
  await assertSurvives(t, {}, async ({ server: { dataDir }, client }, load) => {
    using other = new DatabaseSync(join(dataDir, 'arc.db'), { timeout: 10_000 });
    other.exec('BEGIN IMMEDIATE');
    await load.refused();
    assert.equal((await client.send('GET', configMaps))?.code, 200, 'reads go on');
    await delay(100);
    other.exec('ROLLBACK');
  });
});

test(
  'SIGTERM while another program holds the database, and on a full volume: the server ends, and the next one goes on',
  {
    skip: missingMounts,
  },
  async (t) => {
    await using volume = await mountSmallVolume(8 * mebibyte);
    const file = join(volume.path, 'arc.db');
    await assertSurvives(t, { storage: `sqlite:${file}`, ended: [0] }, async ({ server }, load) => {
      {
        using other = new DatabaseSync(file, { timeout: 10_000 });
        other.exec('BEGIN IMMEDIATE');
        await load.refused();
        await assertStops(server);
      }
      await server.start();
      await load.progress(20);
      volume.fill();
      await load.refused();
      await assertStops(server);
      await volume.free();
      await server.start();
    });
  },
);

test('a volume that can only be read: no start, with a message, and nothing lost', { skip: missingMounts }, async () => {
  await using volume = await mountSmallVolume(16 * mebibyte);
  const storage = `sqlite:${join(volume.path, 'arc.db')}`;
  const folder = await mkdtemp(join(tmpdir(), 'arc-faults-'));
  {
    await using server = await startFaultServer({ storage });
    assert.equal((await server.client.send('POST', configMaps, { body: { metadata: { name: 'kept' } } }))?.code, 201);
  }
  await volume.remount('ro');
  await assert.rejects(
    startEmbeddedArc({ dataDir: join(folder, 'data'), storage }),
    /arc\.db.*(read-?only|cannot be opened or written)[^]*hint/i,
  );
  await volume.remount('rw');
  await using server = await startFaultServer({ storage });
  assert.equal((await server.client.send('GET', `${configMaps}/kept`))?.code, 200);
  await rm(folder, { recursive: true });
});

test('a second server on the same file is refused, by whichever name it comes', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'arc-faults-'));
  await mkdir(join(folder, 'first'));
  const file = join(folder, 'first', 'arc.db');
  await using _first = await startFaultServer({ storage: `sqlite:${file}` });
  const refused = async (name: string): Promise<void> => {
    const starting = async (): Promise<void> => {
      await using _second = await startEmbeddedArc({ dataDir: join(folder, 'data'), storage: `sqlite:${name}` });
    };
    await assert.rejects(starting(), (error: Error) => {
      assert.match(error.message, /error\[(Locked|BadDatabase)\]: .*\n[^]*hint: /);
      assert.ok(error.message.includes('arc.db'), error.message);
      return true;
    });
  };

  await t.test('its own', () => refused(file));
  await t.test('a symbolic link', async () => {
    await symlink(file, join(folder, 'link.arc.db'));
    await refused(join(folder, 'link.arc.db'));
  });
  await t.test('a link to its directory', async () => {
    await symlink(join(folder, 'first'), join(folder, 'linked'));
    await refused(join(folder, 'linked', 'arc.db'));
  });
  await t.test('a hard link', async () => {
    await mkdir(join(folder, 'hard'));
    await link(file, join(folder, 'hard', 'arc.db'));
    await refused(join(folder, 'hard', 'arc.db'));
    await rm(join(folder, 'hard', 'arc.db'));
  });
  await t.test('a bind mount of its directory', { skip: missingMounts }, async () => {
    await mkdir(join(folder, 'bound'));
    await using _mount = await bindMount(join(folder, 'first'), join(folder, 'bound'));
    await refused(join(folder, 'bound', 'arc.db'));
  });
  await t.test('a bind mount of the file alone', { skip: missingMounts }, async () => {
    await mkdir(join(folder, 'alone'));
    await writeFile(join(folder, 'alone', 'arc.db'), '');
    await using _mount = await bindMount(file, join(folder, 'alone', 'arc.db'));
    await refused(join(folder, 'alone', 'arc.db'));
  });
  await rm(folder, { recursive: true });
});
