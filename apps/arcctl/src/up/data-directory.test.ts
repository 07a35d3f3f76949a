import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadOrCreateKey, openDataDirectory } from './data-directory.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arc-data-directory-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('a data directory is made with its parents, private, and is known again', async () => {
  const root = join(folder, 'a', 'b');
  const first = await openDataDirectory(root);
  assert.equal((await stat(root)).mode & 0o777, 0o700);
  assert.deepEqual(await openDataDirectory(root), first);
  assert.equal(await readFile(join(root, 'arc.json'), 'utf8'), '{"format":1}\n');
});

test('what is not ours is refused and left as it was', async () => {
  const root = join(folder, 'foreign');
  await mkdir(root);
  await writeFile(join(root, 'thesis.txt'), 'mine');
  await assert.rejects(openDataDirectory(root), { code: 'BadDataDirectory' });
  assert.deepEqual(await readdir(root), ['thesis.txt']);
});

test('a newer format and a damaged marker are refused', async () => {
  for (const [name, text] of [
    ['newer', '{"format":2}'],
    ['damaged', '{"for'],
  ] as const) {
    const root = join(folder, name);
    await mkdir(root);
    await writeFile(join(root, 'arc.json'), text);
    await assert.rejects(openDataDirectory(root), { code: 'BadDataDirectory' }, name);
  }
});

test('a file in the way, and a place where nothing can be made, are said at once', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  for (const root of [file, join(file, 'below'), '/proc/arc-data']) {
    await assert.rejects(openDataDirectory(root), { code: 'DataDirectoryUnusable' }, root);
  }
});

test('a key is made once and read again', async () => {
  const file = join(folder, 'digest.key');
  const key = await loadOrCreateKey(file);
  assert.equal(key.length, 32);
  assert.deepEqual(await loadOrCreateKey(file), key);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});
