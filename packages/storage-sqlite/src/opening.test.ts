import assert from 'node:assert/strict';
import { copyFileSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Store, WriteItem } from '@arc/storage';
import { DatabaseThread } from './database-thread.ts';
import { pack } from './protocol.ts';
import { openSqliteStore, SqliteStore } from './sqlite-store.ts';
import { DatabaseSync } from './sqlite.ts';

const directory = mkdtempSync(join(tmpdir(), 'arc-sqlite-opening-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const fileNamed = (name: string): string => join(directory, name);

const create = (key: string, length = 10): WriteItem => ({ key, expect: 'absent', value: new Uint8Array(length).fill(120) });

/** Rejects with `code`, a message that names the file, and something to do about it. */
async function assertRefused(opening: Promise<unknown>, code: string, file: string): Promise<void> {
  await assert.rejects(opening, (error: Error & { code: string; hint: string }) => {
    assert.equal(error.code, code);
    assert.ok(error.message.includes(file), error.message);
    assert.ok(error.hint.length > 10, error.hint);
    return true;
  });
}

async function filledStore(file: string, count: number): Promise<void> {
  await using store = await openSqliteStore({ file });
  await store.commit(Array.from({ length: count }, (_, i) => create(`/${i}`, 2000)));
}

test('the files are made with their directory, readable by their owner only', async () => {
  const file = fileNamed('new/deep/arc.db');
  await using store = await openSqliteStore({ file });
  await store.commit([create('/a')]);
  const files = readdirSync(fileNamed('new/deep'));
  assert.deepEqual(files.toSorted(), ['arc.db', 'arc.db-shm', 'arc.db-wal', 'arc.db.lock']);
  for (const name of files) assert.equal(statSync(fileNamed(`new/deep/${name}`)).mode & 0o777, 0o600, name);
});

test('a directory that cannot be made is told of at once', { skip: process.platform !== 'linux' }, async () => {
  const file = '/proc/nowhere/deep/arc.db';
  await assertRefused(openSqliteStore({ file }), 'Unavailable', file);
});

test('a file with a second name is refused, for each name has a log and a lock of its own', async () => {
  const file = fileNamed('named.db');
  await filledStore(file, 1);
  const other = fileNamed('other-name.db');
  linkSync(file, other);
  for (const name of [file, other]) await assertRefused(openSqliteStore({ file: name }), 'BadDatabase', name);
  rmSync(other);
  await using store = await openSqliteStore({ file });
  assert.equal(await store.currentRevision(), 1);
});

test('a file is opened once at a time, and again after it was closed', async () => {
  const file = fileNamed('once.db');
  const store = await openSqliteStore({ file });
  await assertRefused(openSqliteStore({ file }), 'Locked', file);
  await assertRefused(openSqliteStore({ file }), 'Locked', file);
  await store.commit([create('/a')]);
  await store[Symbol.asyncDispose]();
  await using again = await openSqliteStore({ file });
  assert.equal(await again.currentRevision(), 1);
});

test('what is not an SQLite database, or not one of ARC, or of a newer ARC, is refused and left alone', async () => {
  const garbage = fileNamed('garbage.db');
  writeFileSync(garbage, 'this is not a database at all, only some text that is long enough to be one'.repeat(50));
  const foreign = fileNamed('foreign.db');
  using other = new DatabaseSync(foreign);
  other.exec('CREATE TABLE bookmarks (url TEXT)');
  const newer = fileNamed('newer.db');
  await filledStore(newer, 1);
  using future = new DatabaseSync(newer);
  future.exec("UPDATE meta SET value = 99 WHERE name = 'schema'; PRAGMA wal_checkpoint(TRUNCATE)");
  for (const file of [garbage, foreign, newer]) {
    const before = readFileSync(file);
    await assertRefused(openSqliteStore({ file }), 'BadDatabase', file);
    assert.ok(readFileSync(file).equals(before), `${file} was changed`);
  }
});

test('a damaged file is BadDatabase, at the latest when the damage is met', async () => {
  const whole = fileNamed('whole.db');
  await filledStore(whole, 200);
  const { size } = statSync(whole);
  const damages: readonly ((file: string) => void)[] = [
    (file) => truncateSync(file, size / 2),
    (file) => truncateSync(file, 3000),
    (file) => {
      const bytes = readFileSync(file);
      bytes.fill(0xaa, 4096, size - 4096);
      writeFileSync(file, bytes);
    },
  ];
  for (const [i, damage] of damages.entries()) {
    const file = fileNamed(`damaged-${i}.db`);
    copyFileSync(whole, file);
    damage(file);
    const use = async (): Promise<void> => {
      await using store = await openSqliteStore({ file });
      await store.range({ prefix: '' });
    };
    await assertRefused(use(), 'BadDatabase', file);
  }
});

test('a place where no file can be is Unavailable', async () => {
  writeFileSync(fileNamed('file'), '');
  await assertRefused(openSqliteStore({ file: fileNamed('file/arc.db') }), 'Unavailable', fileNamed('file/arc.db'));
  await assertRefused(openSqliteStore({ file: directory }), 'Unavailable', directory);
});

test('a database without room refuses the whole batch, keeps what it has, and goes on when there is room', async () => {
  const file = fileNamed('full.db');
  await using store = await openSqliteStore({ file, maxBytes: 200_000 });
  await fill(store);
  const before = await store.currentRevision();
  const { items } = await store.range({ prefix: '' });
  assert.equal(items.length, before);
  const small = create('/small', 1);
  await assertRefused(store.commit([small, create('/large', 100_000)]), 'Full', file);
  assert.equal(await store.get('/small'), undefined, 'nothing of the batch was written');
  assert.equal(await store.currentRevision(), before);
  await store.compact(before);
  await Promise.all(items.map(({ key, revision }) => store.commit([{ key, expect: revision, value: null }]).catch(() => undefined)));
  await store.compact(await store.currentRevision());
  const [outcome] = await store.commit([small]);
  assert.equal(outcome?.committed, true);
});

async function fill(store: Store): Promise<void> {
  for (let i = 0; i < 100; i++) {
    try {
      await store.commit([create(`/${i}`, 5000)]);
    } catch {
      return;
    }
  }
  assert.fail('the database never filled up');
}

test('opening can be given up', async () => {
  const stop = new AbortController();
  const opening = openSqliteStore({ file: fileNamed('given-up.db'), signal: stop.signal });
  stop.abort(new Error('changed my mind'));
  await assert.rejects(opening, /changed my mind/);
  await using _store = await openSqliteStore({ file: fileNamed('given-up.db') });
});

test('a thread that ends unexpectedly leaves commits in doubt and refuses what follows', async () => {
  const thread = new DatabaseThread({ file: fileNamed('thread.db'), maxBytes: undefined }, () => {});
  await thread.opened();
  const commit = thread.call('commit', { keys: ['/a'], expected: ['absent'], values: pack([Uint8Array.of(1)]) });
  const read = thread.call('get', { key: '/a' });
  const told = [
    assert.rejects(commit, { code: 'OutcomeUnknown', retryable: false }),
    assert.rejects(read, { code: 'Unavailable', retryable: true }),
  ];
  await thread.terminate();
  await Promise.all(told);
  await assert.rejects(thread.call('get', { key: '/a' }), { code: 'Unavailable' });
  await assert.rejects(new SqliteStore(thread, { revision: 1, compacted: 0 }).currentRevision(), { code: 'Unavailable' });
});
