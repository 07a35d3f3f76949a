import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makePrivateDirectory } from './make-private-directory.ts';

test('missing directories are made, for their owner only; what is there stays', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'arc-'));
  t.after(() => rmSync(root, { recursive: true }));
  const deep = join(root, 'a', 'b', 'c');
  makePrivateDirectory(deep);
  makePrivateDirectory(deep);
  for (const path of [join(root, 'a'), join(root, 'a', 'b'), deep]) assert.equal(statSync(path).mode & 0o777, 0o700);

  writeFileSync(join(root, 'file'), '');
  assert.throws(() => makePrivateDirectory(join(root, 'file')), { code: 'EEXIST' });
  assert.throws(() => makePrivateDirectory(join(root, 'file', 'below')), { code: 'ENOTDIR' });
});

test('a file system that takes no entries says so, and is not asked for ever', { skip: process.platform !== 'linux' }, () => {
  assert.throws(() => makePrivateDirectory('/proc/nowhere'), { code: 'ENOENT' });
  assert.throws(() => makePrivateDirectory('/proc/nowhere/at/all'), { code: 'ENOENT' });
});
