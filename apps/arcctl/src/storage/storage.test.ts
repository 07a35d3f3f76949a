import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { memoryStreams } from '@arc/cli-kit';
import { systemClock } from '@arc/kernel';
import { openSqliteStore } from '@arc/storage-sqlite';
import { runCli } from '../run-cli.ts';

let folder = '';
let url = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arcctl-storage-'));
  url = `sqlite:${join(folder, 'arc.db')}`;
  await using store = await openSqliteStore({ file: join(folder, 'arc.db') });
  for (const key of ['/a', '/b', '/c']) await store.commit([{ key, expect: 'absent', value: Buffer.from('{}') }]);
  await store.commit([{ key: '/b', expect: 2, value: null }]);
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
    /^Backend: +sqlite\nUsable by this version: +yes\nNewest revision: +4\nHistory begins at: +0\nObjects: +2\nChanges in the log: +4\nSize: .*B\n$/,
  );
  const json = await storage('status', '--storage', url, '-o', 'json');
  const { bytes, ...status } = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.deepEqual(status, { backend: 'sqlite', usable: true, revision: 4, compactedRevision: 0, objects: 2, changes: 4 });
  assert.ok(Number(bytes) > 4096);
});

test('status works beside the server that has the file open', async () => {
  await using _server = await openSqliteStore({ file: join(folder, 'arc.db') });
  assert.equal((await storage('status', '--storage', url)).code, 0);
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
