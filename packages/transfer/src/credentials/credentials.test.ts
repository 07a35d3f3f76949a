import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDockerConfig } from './docker-config.ts';
import { readSecretDirectory } from './secret-directory.ts';

const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString('base64') });
const basic = (username: string, password: string) => ({ kind: 'basic', username, password });

test('of the entries for a host the one with the longest matching path wins', () => {
  const source = parseDockerConfig(
    JSON.stringify({
      auths: {
        'registry.example.org': auth('all:a:b'),
        'registry.example.org/team': auth('team:t'),
        'registry.example.org/team/app': { username: 'app', password: 'p' },
        'https://index.docker.io/v1/': auth('hub:h'),
        'tokens.example.org': { identitytoken: 'id', ...auth('x:y') },
        'empty.example.org': {},
      },
    }),
    'config.json',
  );
  assert.deepEqual(source.credentialFor('registry.example.org', 'other'), basic('all', 'a:b'));
  assert.deepEqual(source.credentialFor('registry.example.org', 'team/web'), basic('team', 't'));
  assert.deepEqual(source.credentialFor('registry.example.org', 'team/app'), basic('app', 'p'));
  assert.deepEqual(source.credentialFor('registry.example.org', 'team/application'), basic('team', 't'));
  assert.deepEqual(source.credentialFor('registry.example.org', 'teams/app'), basic('all', 'a:b'));
  assert.deepEqual(source.credentialFor('registry-1.docker.io', 'library/alpine'), basic('hub', 'h'));
  assert.deepEqual(source.credentialFor('tokens.example.org', 'x'), { kind: 'identity', token: 'id' });
  for (const host of ['empty.example.org', 'example.org', 'registry.example.org:5000'])
    assert.equal(source.credentialFor(host, 'x'), undefined);
});

test('a broken configuration is refused without being quoted', () => {
  for (const text of ['not json hunter2', '{"credsStore":"hunter2"}', JSON.stringify({ auths: { 'a.b': auth('hunter2') } })]) {
    assert.throws(
      () => parseDockerConfig(text, 'config.json'),
      (error: Error) => 'code' in error && error.code === 'InvalidCredentials' && !error.message.includes('hunter2'),
    );
  }
});

test('a mounted secret is read by its keys', async () => {
  const cases: readonly (readonly [Record<string, string>, unknown])[] = [
    [{}, undefined],
    [{ username: 'ada\n', password: 'p w\r\n' }, basic('ada', 'p w')],
    [{ username: 'ada', token: 't' }, basic('ada', 't')],
    [{ token: 't' }, { kind: 'bearer', token: 't' }],
    [{ '.dockerconfigjson': JSON.stringify({ auths: { 'a.b': auth('u:p') } }) }, basic('u', 'p')],
    [{ 'config.json': JSON.stringify({ auths: { 'a.b': auth('u:p') } }) }, basic('u', 'p')],
    [{ '.dockercfg': JSON.stringify({ 'https://a.b/v1/': auth('u:p') }) }, basic('u', 'p')],
  ];
  for (const [keys, expected] of cases) {
    const folder = await mkdtemp(join(tmpdir(), 'arc-secret-'));
    try {
      await Promise.all(Object.entries(keys).map(([key, value]) => writeFile(join(folder, key), value)));
      const secret = await readSecretDirectory(folder);
      assert.deepEqual(secret.credentials.credentialFor('a.b', 'x'), expected);
      assert.deepEqual([...secret.keys].sort(), Object.keys(keys).sort());
    } finally {
      await rm(folder, { recursive: true });
    }
  }
  assert.equal((await readSecretDirectory('/does/not/exist')).credentials.credentialFor('a.b', 'x'), undefined);
});

test('half a credential is said to be one, and TLS files are taken up', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'arc-secret-'));
  try {
    await writeFile(join(folder, 'ca.crt'), 'PEM');
    assert.deepEqual((await readSecretDirectory(folder)).tls, { ca: 'PEM' });
    await writeFile(join(folder, 'username'), 'ada');
    await assert.rejects(readSecretDirectory(folder), { code: 'InvalidCredentials', message: /neither password nor token/ });
  } finally {
    await rm(folder, { recursive: true });
  }
});
