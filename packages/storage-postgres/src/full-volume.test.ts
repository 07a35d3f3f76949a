import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeOf } from '@arc/kernel';
import { followStore } from '@arc/storage/conformance';
import { missingPostgres, runCommand, startPostgres } from '@arc/testkit';
import { migratePostgres } from './migrate.ts';
import { openPostgresStore } from './postgres-store.ts';

const skip = missingPostgres() ?? (process.getuid?.() === 0 ? undefined : 'mounting a volume needs root');

test('tables on a full volume take no writes, answer reads, and lose nothing', { skip }, async () => {
  await using parts = new AsyncDisposableStack();
  const server = parts.use(await startPostgres());
  const volume = mkdtempSync(join(tmpdir(), 'arc-postgres-volume-'));
  parts.defer(() => rmSync(volume, { recursive: true, force: true }));
  await run('mount', '-t', 'tmpfs', '-o', 'size=24m', 'arc', volume);
  parts.defer(() => run('umount', '--lazy', volume));
  const tables = join(volume, 'tables');
  mkdirSync(tables);
  const { uid, gid } = statSync(`/proc/${server.pid}`);
  chownSync(tables, uid, gid);
  await server.execute(`CREATE TABLESPACE small LOCATION '${tables}'`);
  await server.execute('CREATE DATABASE small TABLESPACE small');
  const url = server.url('small');
  await migratePostgres({ url });

  await using store = await openPostgresStore({ url });
  await using follower = followStore(store);
  const acknowledged: string[] = [];
  let next = 0;
  const create = async (bytes: number): Promise<void> => {
    const key = `/${next}`;
    const [outcome] = await store.commit([{ key, expect: 'absent', value: randomBytes(bytes) }]);
    assert.ok(outcome?.committed, `${key} was refused before and is there`);
    assert.equal(outcome.revision, acknowledged.push(key), 'a refused write has taken no revision');
    next += 1;
  };

  for (let round = 0; round < 2; round++) {
    await create(100_000);
    const ballast = fill(volume);
    const refused = {
      code: 'Full',
      message: /small has no room left: could not extend file/,
      hint: /Free space on the volume/,
    };
    // What room there is inside of the files may do for some.
    await assert.rejects(async () => {
      for (let n = 0; n < 100; n++) await create(100_000);
    }, refused);
    await assert.rejects(create(100_000), refused);
    assert.equal(await store.currentRevision(), acknowledged.length);
    assert.equal((await store.get('/0'))?.revision, 1);
    assert.equal((await store.range({ prefix: '/' })).items.length, acknowledged.length);
    rmSync(ballast);
    await create(100_000);
  }
  await follower.reached(acknowledged.length);
  assert.deepEqual(
    follower.events.map(({ key }) => key),
    acknowledged,
  );
});

/** Takes all the room there is, with a file whose path is returned. */
function fill(volume: string): string {
  const path = join(volume, 'ballast');
  const file = openSync(path, 'w');
  try {
    for (const chunk = Buffer.alloc(4096, 1); ;) writeSync(file, chunk);
  } catch (error) {
    assert.equal(codeOf(error), 'ENOSPC');
    return path;
  } finally {
    closeSync(file);
  }
}

async function run(program: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runCommand(program, args);
  assert.equal(code, 0, `${program} ${args.join(' ')}: ${stderr}`);
}
