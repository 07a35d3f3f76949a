import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { secrets } from '@arc/api/core';
import { createFakeClient } from '@arc/kube-client/fake';
import { loadOrCreateKey } from './data-directory.ts';
import { digestKeyOfAll } from './digest-key.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arc-digest-key-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('the key of a server that used to be alone becomes that of all, and the others take it into their directories', async () => {
  const client = createFakeClient();
  const [first, second] = ['first', 'second'].map((name) => join(folder, name)) as [string, string];
  const key = await loadOrCreateKey(first);
  const other = await loadOrCreateKey(second);
  assert.notDeepEqual(other, key);
  assert.deepEqual(Buffer.from(await digestKeyOfAll(client, first)), Buffer.from(key));
  assert.deepEqual(Buffer.from(await digestKeyOfAll(client, second)), Buffer.from(key));
  assert.equal(await readFile(second, 'utf8'), await readFile(first, 'utf8'));
});

test('of two servers that make the key at the same time one makes it', async () => {
  const client = createFakeClient();
  const files = ['a', 'b'].map((name) => join(folder, name));
  const [a, b] = await Promise.all(files.map((file) => digestKeyOfAll(client, file)));
  assert.deepEqual(Buffer.from(a ?? []), Buffer.from(b ?? []));
  assert.equal(a?.length, 32);
});

test('a Secret that was deleted is made again from the directory', async () => {
  const client = createFakeClient();
  const file = join(folder, 'kept');
  const key = await digestKeyOfAll(client, file);
  await client.delete(secrets, { namespace: 'kube-system', name: 'arc-digest-key' });
  assert.deepEqual(Buffer.from(await digestKeyOfAll(client, file)), Buffer.from(key));
});
