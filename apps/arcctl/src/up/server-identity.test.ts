import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDataDirectory } from './data-directory.ts';
import { serverIdentity } from './server-identity.ts';

test('a server keeps its name over restarts, and a copy of its data directory is another server', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'arc-identity-'));
  try {
    const original = await openDataDirectory(join(folder, 'data'));
    const name = await serverIdentity(original);
    assert.ok(name.startsWith(`${hostname()}_`));
    assert.equal(await serverIdentity(original), name);
    await cp(original.root, join(folder, 'copy'), { recursive: true });
    assert.notEqual(await serverIdentity(await openDataDirectory(join(folder, 'copy'))), name);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
