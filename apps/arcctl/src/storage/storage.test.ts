import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { memoryStreams } from '@arc/cli-kit';
import { systemClock } from '@arc/kernel';
import { openSqliteImport, openSqliteStore } from '@arc/storage-sqlite';
import { runCli } from '../run-cli.ts';

const keyOf = (name: string): string => `/registry/core/configmaps/default/${name}`;

let folder = '';
let url = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arcctl-storage-'));
  url = `sqlite:${join(folder, 'arc.db')}`;
  await using store = await openSqliteStore({ file: join(folder, 'arc.db') });
  for (const name of ['a', 'b', 'c']) await store.commit([{ key: keyOf(name), expect: 'absent', value: Buffer.from('{}') }]);
  await store.commit([{ key: keyOf('b'), expect: 2, value: null }]);
});
after(() => rm(folder, { recursive: true, force: true }));

async function storage(...args: readonly string[]) {
  const streams = memoryStreams();
  const signal = new AbortController().signal;
  const code = await runCli(['storage', ...args], { streams, environment: { HOME: folder }, clock: systemClock, signal });
  return { code, stdout: streams.stdout.text, stderr: streams.stderr.text };
}

test('status shows what a file holds, for people and as JSON', async () => {
  const { code, stdout } = await storage('status', '--storage', url);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^Backend: +sqlite\nUsable by this version: +yes\nIn use by a process: +no\nNewest revision: +4\nHistory begins at: +0\nChanges in the log: +4\nSize: .*B\nObjects: +2\n +2 {2}configmaps\n$/,
  );
  const json = await storage('status', '--storage', url, '-o', 'json');
  const { bytes, ...status } = JSON.parse(json.stdout) as Record<string, unknown>;
  const resources = { configmaps: 2 };
  const facts = { revision: 4, compactedRevision: 0, objects: 2, resources, changes: 4 };
  assert.deepEqual(status, { backend: 'sqlite', usable: true, inUse: false, ...facts });
  assert.ok(Number(bytes) > 4096);
});

test('status works beside the server that has the file open, and says so', async () => {
  await using _server = await openSqliteStore({ file: join(folder, 'arc.db') });
  assert.match((await storage('status', '--storage', url)).stdout, /In use by a process: +yes/);
});

test('status tells what goes on with a copy that was not finished', async () => {
  await using target = openSqliteImport({ file: join(folder, 'half.db') });
  await target.begin({ fingerprint: 'f', objects: 9, revision: 9, command: 'arcctl storage copy --from a --to b' });
  const { stdout } = await storage('status', '--storage', `sqlite:${join(folder, 'half.db')}`);
  assert.match(
    stdout,
    /Usable by this version: +no: a copy into it has not been finished; run again arcctl storage copy --from a --to b\n/,
  );
});

test('a file that is not there is said to be missing, and is not made', async () => {
  const missing = join(folder, 'missing.db');
  for (const args of [['status'], ['compact'], ['doctor', '--remove', '/x', '--yes'], ['backup', '--to', join(folder, 'x')]]) {
    const { code, stderr } = await storage(...args, '--storage', `sqlite:${missing}`);
    assert.equal(code, 1, args.join(' '));
    assert.match(stderr, /^error\[Unavailable\]: there is no database .*missing\.db\nhint: Check the path/);
  }
  assert.equal(existsSync(missing), false);
  const path = await storage('status', '--storage', missing);
  assert.equal(path.code, 2);
  assert.match(path.stderr, /hint: Write sqlite:\//);
});

test('compact forgets what lies beyond the revisions to keep, once', async () => {
  assert.match((await storage('compact', '--storage', url)).stdout, /Nothing to forget: history begins at revision 0/);
  assert.match((await storage('compact', '--storage', url, '--keep', '1')).stdout, /History up to revision 3 is forgotten/);
  assert.match((await storage('compact', '--storage', url, '--keep', '1')).stdout, /history begins at revision 3/);
});

test('a file needs no migration', async () => {
  assert.match((await storage('migrate', '--storage', url)).stdout, /Nothing to migrate/);
});

test('what cannot be looked after is a usage error, and a database out of reach says so without its password', async () => {
  for (const args of [['status'], ['status', '--storage', 'memory:'], ['compact', '--storage', url, '--keep', 'all']]) {
    assert.equal((await storage(...args)).code, 2, args.join(' '));
  }
  const { code, stderr } = await storage('status', '--storage', 'postgres://arc:s3cret@127.0.0.1:1/arc');
  assert.equal(code, 1);
  assert.match(
    stderr,
    /error\[Unavailable\]: the database postgres:\/\/arc@127\.0\.0\.1:1\/arc cannot be reached.*\nhint: Check that PostgreSQL runs/,
  );
  assert.equal(stderr.includes('s3cret'), false);
});
