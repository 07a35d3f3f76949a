import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { memoryStreams } from '@arc/cli-kit';
import type { MemoryStreamsOptions } from '@arc/cli-kit';
import { ArcError, systemClock } from '@arc/kernel';
import type { StoredValue } from '@arc/storage';
import { openSqliteStore } from '@arc/storage-sqlite';
import { runCli } from '../run-cli.ts';

const secret = 'c3VwZXItc2VjcmV0';
let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arcctl-moving-'));
  await using store = await openSqliteStore({ file: fileNamed('source.db') });
  const value = Buffer.from(JSON.stringify({ kind: 'Secret', metadata: { name: 'a', namespace: 'n' }, data: { password: secret } }));
  await store.commit(
    ['/registry/core/secrets/n/a', '/registry/core/configmaps/n/b', '/x'].map((key) => ({ key, expect: 'absent', value })),
  );
  await store.commit([{ key: '/x', expect: 3, value: null }]);
});
after(() => rm(folder, { recursive: true, force: true }));

const fileNamed = (name: string): string => join(folder, name);
const urlOf = (name: string): string => `sqlite:${fileNamed(name)}`;

async function storage(args: readonly string[], options: MemoryStreamsOptions = {}) {
  const streams = memoryStreams(options);
  const signal = new AbortController().signal;
  const code = await runCli(['storage', ...args], { streams, environment: { HOME: folder }, clock: systemClock, signal });
  return { code, stdout: streams.stdout.text, stderr: streams.stderr.text };
}

async function contentOf(name: string): Promise<readonly StoredValue[]> {
  await using store = await openSqliteStore({ file: fileNamed(name) });
  return (await store.range({ prefix: '' })).items;
}

test('copy makes the same storage, says what is in it, and does so once', async () => {
  const { code, stdout, stderr } = await storage(['copy', '--from', urlOf('source.db'), '--to', urlOf('copy.db')]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Copied 2 objects, \d+ B\n +1 {2}configmaps\n +1 {2}secrets\nSHA-256 of keys and values, read back from sqlite:/);
  assert.match(stdout, /The newest revision is 4, where history begins/);
  assert.match(stdout, /The data directory .* is not part of it/);
  assert.equal(`${stdout}${stderr}`.includes(secret), false);
  assert.deepEqual(await contentOf('copy.db'), await contentOf('source.db'));
  const again = await storage(['copy', '--from', urlOf('source.db'), '--to', urlOf('copy.db'), '-o', 'json']);
  const result = JSON.parse(again.stdout) as Record<string, unknown>;
  assert.equal(result['alreadyThere'], true);
  assert.deepEqual(result['resources'], { configmaps: 1, secrets: 1 });
});

test('copy leaves alone what is there, unless it is told to replace it', async () => {
  {
    await using store = await openSqliteStore({ file: fileNamed('full.db') });
    for (let i = 0; i < 9; i++) await store.commit([{ key: `/${i}`, expect: 'absent', value: Buffer.from('x') }]);
  }
  const copy = ['copy', '--from', urlOf('source.db'), '--to', urlOf('full.db')];
  const refused = await storage(copy);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /error\[NotEmpty\]: the target holds 9 objects already\nhint: .*--replace/);
  assert.equal((await contentOf('full.db')).length, 9);
  const replaced = await storage([...copy, '--replace', '-o', 'json']);
  assert.equal(replaced.code, 0, replaced.stderr);
  assert.equal((JSON.parse(replaced.stdout) as { revision: number }).revision, 10);
  assert.deepEqual(await contentOf('full.db'), await contentOf('source.db'));
});

test('copy refuses a source that is not there or in use, and a target that is the source', async () => {
  const missing = await storage(['copy', '--from', urlOf('missing.db'), '--to', urlOf('new.db')]);
  assert.match(missing.stderr, /error\[Unavailable\]: there is no database .*missing\.db/);
  assert.equal(
    (await readdir(folder)).some((name) => /missing|new/.test(name)),
    false,
    'nothing was made',
  );
  assert.equal((await storage(['copy', '--from', urlOf('source.db'), '--to', urlOf('source.db')])).code, 2);
  assert.equal((await storage(['copy', '--from', 'memory:', '--to', urlOf('new.db')])).code, 2);
  await using _server = await openSqliteStore({ file: fileNamed('source.db') });
  const locked = await storage(['copy', '--from', urlOf('source.db'), '--to', urlOf('new.db')]);
  assert.match(locked.stderr, /error\[Locked\]: the database .*source\.db is in use/);
});

test('a copy that was interrupted is told what to run, without passwords', async () => {
  const from = 'postgres://arc:hunter2@127.0.0.1:1/arc';
  const { stderr } = await storage(['copy', '--from', from, '--to', urlOf('new.db')]);
  assert.match(stderr, /postgres:\/\/arc@127\.0\.0\.1:1\/arc cannot be reached/);
  assert.equal(stderr.includes('hunter2'), false);
});

test('backup beside a server that writes is one consistent state', async () => {
  const file = fileNamed('busy.db');
  await using store = await openSqliteStore({ file });
  // Pairs of objects that are always written together: a state that holds half of one is none.
  const keys = Array.from({ length: 4000 }, (_, i) => `/registry/core/configmaps/n/${i}`);
  const values = new Map<string, number>();
  let round = 0;
  const write = async (): Promise<void> => {
    round += 1;
    const pair = [keys[(round * 7) % 2000] ?? '', keys[2000 + ((round * 7) % 2000)] ?? ''];
    const value = Buffer.from(`${round} ${'x'.repeat(500)}`);
    const outcomes = await store.commit(pair.map((key) => ({ key, expect: values.get(key) ?? ('absent' as const), value })));
    for (const [index, outcome] of outcomes.entries()) if (outcome.committed) values.set(pair[index] ?? '', outcome.revision);
  };
  for (let i = 0; i < 2000; i++) await write();
  const before = await store.currentRevision();
  let stop = false;
  const writing = (async () => {
    while (!stop) {
      await write();
      await nextTurn();
    }
  })();
  const { code, stderr } = await storage(['backup', '--storage', `sqlite:${file}`, '--to', fileNamed('busy.backup')]);
  stop = true;
  await writing;
  assert.equal(code, 0, stderr);
  assert.ok((await store.currentRevision()) > before, 'there were writes meanwhile');
  const [, ...lines] = gunzipSync(await readFile(fileNamed('busy.backup')))
    .toString()
    .trimEnd()
    .split('\n');
  const objects = lines.slice(0, -1).map((line) => JSON.parse(line) as { key: string; value: string });
  const byKey = new Map(objects.map(({ key, value }) => [key, value.split(' ')[0]]));
  assert.equal(byKey.size, 4000);
  for (let i = 0; i < 2000; i++) assert.equal(byKey.get(keys[i] ?? ''), byKey.get(keys[2000 + i] ?? ''), `pair ${i}`);
});

test('a backup is readable by its owner only, complete under its name, and restores the same storage', async () => {
  const file = fileNamed('arc.backup');
  await writeFile(file, 'an older one', { mode: 0o644 });
  const { code, stdout, stderr } = await storage(['backup', '--storage', urlOf('source.db'), '--to', file]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Backed up 2 objects.*\n.*\n.*\nState at revision 4, SHA-256 of its lines: [0-9a-f]{64}\n.*data directory/);
  assert.equal(stdout.includes(secret), false);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal(
    (await readdir(folder)).some((name) => name.endsWith('.new')),
    false,
  );
  const restored = await storage(['restore', '--from', file, '--storage', urlOf('restored.db')]);
  assert.equal(restored.code, 0, restored.stderr);
  assert.match(restored.stdout, /^Restored 2 objects/);
  assert.match(restored.stdout, /newest revision is 1000000004/);
  assert.deepEqual(await contentOf('restored.db'), await contentOf('source.db'));
});

test('a damaged backup changes nothing, and what cannot be written leaves nothing', async () => {
  const file = fileNamed('cut.backup');
  await storage(['backup', '--storage', urlOf('source.db'), '--to', file]);
  await writeFile(file, (await readFile(file)).subarray(0, -10));
  const { code, stderr } = await storage(['restore', '--from', file, '--storage', urlOf('never.db'), '--replace']);
  assert.equal(code, 1);
  assert.match(stderr, /error\[BadBackup\]: the backup cannot be used: it is truncated/);
  assert.deepEqual(await contentOf('never.db'), []);
  assert.match((await storage(['restore', '--from', fileNamed('no.backup'), '--storage', urlOf('x.db')])).stderr, /UnreadableFile/);
  assert.match((await storage(['backup', '--storage', urlOf('source.db'), '--to', fileNamed('no/a')])).stderr, /UnwritableFile/);
  assert.equal((await storage(['restore', '--from', '-', '--storage', urlOf('x.db')])).code, 2);
});

test('a backup goes to a pipe, and not to a terminal', async () => {
  const args = ['backup', '--storage', urlOf('source.db'), '--to', '-'];
  assert.equal((await storage(args, { isTerminal: true })).code, 2);
  const { code, stdout, stderr } = await storage(args);
  assert.equal(code, 0);
  assert.ok(stdout.length > 100);
  assert.match(stderr, /^Backed up 2 objects/);
});

test('how far it is shows on a terminal only', async () => {
  const { stderr } = await storage(['copy', '--from', urlOf('source.db'), '--to', urlOf('terminal.db')], { isTerminal: true });
  assert.match(stderr, /\r\u001B\[Kreading 2 objects/);
  assert.ok(stderr.endsWith('\r\u001B[K'));
});

test('who interrupts a copy is told that it goes on when it is run again', async () => {
  {
    await using store = await openSqliteStore({ file: fileNamed('long.db') });
    const keys = Array.from({ length: 3000 }, (_, i) => `/registry/core/configmaps/n/${i}`);
    await store.commit(keys.map((key) => ({ key, expect: 'absent', value: Buffer.alloc(10) })));
  }
  const copy = ['storage', 'copy', '--from', urlOf('long.db'), '--to', urlOf('interrupted.db')];
  const interruption = new AbortController();
  const streams = memoryStreams({ isTerminal: true });
  const write = (text: string | Uint8Array): void => {
    streams.stderr.write(text);
    // As a signal comes: between turns, not within one.
    if (/writing [1-9]/.test(String(text))) setImmediate(() => interruption.abort(new ArcError('Interrupted', 'interrupted by SIGINT')));
  };
  let ms = 0;
  const clock = { ...systemClock, now: () => (ms += 1000) };
  const context = { environment: { HOME: folder }, clock, signal: interruption.signal };
  assert.equal(await runCli(copy, { ...context, streams: { ...streams, stderr: { ...streams.stderr, write } } }), 130);
  assert.match(streams.stderr.text, /interrupted by SIGINT; the target is not filled completely.*\nhint: Run the same command again/);
  const { code, stdout } = await storage(copy.slice(1));
  assert.equal(code, 0);
  assert.match(stdout, /^An earlier run had written \d+ of them\.\nCopied 3000 objects/);
});
