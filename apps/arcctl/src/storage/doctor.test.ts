import assert from 'node:assert/strict';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { memoryStreams } from '@arc/cli-kit';
import type { MemoryStreamsOptions } from '@arc/cli-kit';
import { systemClock } from '@arc/kernel';
import type { Finding } from '@arc/storage';
import { openSqliteImport, openSqliteStore } from '@arc/storage-sqlite';
import { runCli } from '../run-cli.ts';

let folder = '';
before(async () => void (folder = await mkdtemp(join(tmpdir(), 'arcctl-doctor-'))));
after(() => rm(folder, { recursive: true, force: true }));

const urlOf = (name: string): string => `sqlite:${join(folder, name)}`;

async function doctor(name: string, args: readonly string[] = [], options: MemoryStreamsOptions = {}) {
  const streams = memoryStreams(options);
  const signal = new AbortController().signal;
  const command = ['storage', 'doctor', '--storage', urlOf(name), ...args];
  const code = await runCli(command, { streams, environment: { HOME: folder }, clock: systemClock, signal });
  return { code, stdout: streams.stdout.text, stderr: streams.stderr.text };
}

async function fill(name: string, values: Readonly<Record<string, string>>): Promise<void> {
  await using store = await openSqliteStore({ file: join(folder, name) });
  for (const [key, value] of Object.entries(values)) await store.commit([{ key, expect: 'absent', value: Buffer.from(value) }]);
}

const object = (name: string): string => JSON.stringify({ metadata: { name, namespace: 'n', uid: `uid of ${name}` } });
const broken = '/registry/core/secrets/n/broken';

test('a storage in order is said to be so, also beside its server', async () => {
  await fill('good.db', { '/registry/core/configmaps/n/a': object('a'), '/registry/arc.opendefense.cloud/orders/n/b': object('b') });
  await using _server = await openSqliteStore({ file: join(folder, 'good.db') });
  const { code, stdout, stderr } = await doctor('good.db');
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'Looked at 2 objects, at revision 2. Nothing is wrong.\n');
});

test('what is wrong is told with what to do, without content, and exit code 1', async () => {
  await fill('bad.db', { '/registry/core/configmaps/n/a': object('other'), [broken]: '{"data":"hunter2' });
  const { code, stdout, stderr } = await doctor('bad.db');
  assert.equal(code, 1);
  assert.match(stdout, /^SEVERITY +CHECK +KEY +REVISION +FINDING\n/);
  assert.match(stdout, /problem +key +\/registry\/core\/configmaps\/n\/a +1 +the object calls itself "n\/other"/);
  assert.match(stdout, /problem +value +\/registry\/core\/secrets\/n\/broken +2 +what is stored under .* cannot be read/);
  assert.match(stdout, /hint for value: .*--remove '\/registry\/core\/secrets\/n\/broken'/);
  assert.match(stdout, /Looked at 2 objects, at revision 2\. 2 problems\.\n$/);
  assert.equal(`${stdout}${stderr}`.includes('hunter2'), false);
  const json = await doctor('bad.db', ['-o', 'json']);
  assert.equal(json.code, 1);
  const report = JSON.parse(json.stdout) as { healthy: boolean; objects: number; findings: Finding[] };
  assert.deepEqual([report.healthy, report.objects, report.findings.map(({ check }) => check)], [false, 2, ['key', 'value']]);
});

test('a value that cannot be read is removed when that is confirmed, and nothing else is', async () => {
  await fill('remove.db', { '/registry/core/configmaps/n/a': object('a'), [broken]: 'hunter2' });
  const remove = (key: string, args: readonly string[] = [], options: MemoryStreamsOptions = {}) =>
    doctor('remove.db', ['--remove', key, ...args], options);
  assert.match((await remove('/registry/core/configmaps/n/a', ['--yes'])).stderr, /error\[Readable\].*\nhint: Delete it with kubectl/);
  assert.equal((await remove('/registry/none', ['--yes'])).code, 3);
  assert.match((await remove(broken)).stderr, /cannot be read.*It has 7 bytes\.\nerror\[Declined\]: nothing was removed\nhint: Say --yes/);
  assert.equal((await remove(broken, [], { isTerminal: true, stdin: 'n\n' })).code, 1);
  const removed = await remove(broken, [], { isTerminal: true, stdin: 'y\n' });
  assert.equal(removed.code, 0, removed.stderr);
  assert.match(removed.stdout, /^Removed \/registry\/core\/secrets\/n\/broken at revision 3\.\n$/);
  assert.equal(removed.stderr.includes('hunter2'), false);
  assert.equal((await doctor('remove.db')).code, 0);
});

test('what cannot be opened is a finding with its hint', async () => {
  assert.match((await doctor('none.db')).stdout, /problem +opening .*there is no database .*none\.db\n\nhint for opening: Check the path/);
  await using target = openSqliteImport({ file: join(folder, 'half.db') });
  await target.begin({ fingerprint: 'f', objects: 9, revision: 9, command: 'arcctl storage copy --from a --to b' });
  const { code, stdout } = await doctor('half.db');
  assert.equal(code, 1);
  assert.match(
    stdout,
    /was not filled completely.*\n\nhint for opening: Run again what was begun.*: arcctl storage copy --from a --to b\n/,
  );
});

test('a damaged file is found out', async () => {
  await fill(
    'damaged.db',
    Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`/registry/core/configmaps/n/${i}`, object(String(i)).padEnd(900)])),
  );
  const file = await open(join(folder, 'damaged.db'), 'r+');
  await file.write(Buffer.alloc(40_000, 0xaa), 0, 40_000, 200_000);
  await file.close();
  const { code, stdout } = await doctor('damaged.db');
  assert.equal(code, 1);
  assert.match(stdout, /problem +(?:integrity|opening) .*/);
});
