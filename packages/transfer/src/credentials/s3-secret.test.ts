import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bucketAccess, readBucketSecret } from './s3-secret.ts';

function access(keys: Readonly<Record<string, string>>) {
  return bucketAccess((name) => keys[name], 'the Secret');
}

test('access keys are read in every shape that Secrets have them in', () => {
  const pair = { accessKeyId: 'AKID', secretAccessKey: 'hunter2' };
  const file =
    '[other]\naws_access_key_id = NO\n[default]\r\naws_access_key_id=AKID\r\naws_secret_access_key = hunter2\nregion = eu-west-1\n';
  for (const [keys, sessionToken, region] of [
    [
      { AWS_ACCESS_KEY_ID: 'AKID\n', AWS_SECRET_ACCESS_KEY: 'hunter2\n', AWS_SESSION_TOKEN: 't', AWS_REGION: 'eu-west-1' },
      't',
      'eu-west-1',
    ],
    [{ ACCESS_KEY_ID: 'AKID', ACCESS_SECRET_KEY: 'hunter2' }, undefined, undefined],
    [{ accessKeyId: 'AKID', secretAccessKey: 'hunter2', sessionToken: 't', region: 'x' }, 't', 'x'],
    [{ accessKey: 'AKID', secretKey: 'hunter2' }, undefined, undefined],
    [{ accesskey: 'AKID', secretkey: 'hunter2' }, undefined, undefined],
    [{ username: 'AKID', password: 'hunter2' }, undefined, undefined],
    [{ credentials: file }, undefined, 'eu-west-1'],
    [{ cloud: file, region: 'x' }, undefined, 'x'],
  ] as const) {
    assert.deepEqual(access(keys), { access: { ...pair, sessionToken }, region }, JSON.stringify(keys));
  }
  assert.deepEqual(access({}), { access: undefined, region: undefined });
});

test('half a pair and nonsense are said, without their values', () => {
  for (const keys of [
    { AWS_ACCESS_KEY_ID: 'AKID' },
    { AWS_SECRET_ACCESS_KEY: 'hunter2' },
    { credentials: '[other]\naws_access_key_id=hunter2\n' },
    { accessKey: 'hunter2\r\nx-evil: 1', secretKey: 'hunter2' },
  ]) {
    assert.throws(
      () => access(keys),
      (error: Error) => 'code' in error && error.code === 'InvalidCredentials' && !error.message.includes('hunter2'),
    );
  }
});

test('a mounted Secret is read with its certificates; a missing one means anonymous', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'arc-secret-'));
  for (const [name, value] of Object.entries({ AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'x', 'ca.crt': 'PEM' }))
    await writeFile(join(folder.path, name), value);
  const secret = await readBucketSecret(folder.path);
  assert.deepEqual([secret.access?.accessKeyId, secret.tls], ['AKID', { ca: 'PEM' }]);
  assert.deepEqual(await readBucketSecret(join(folder.path, 'none')), { access: undefined, region: undefined, tls: {} });
});
