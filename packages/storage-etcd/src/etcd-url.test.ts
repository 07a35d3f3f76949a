import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { etcdOptionsOf } from './etcd-url.ts';

test('a URL names members, user, TLS files and prefix', async () => {
  assert.deepEqual(await etcdOptionsOf('etcd://a:2379'), { endpoints: ['a:2379'], layout: {} });
  assert.deepEqual(await etcdOptionsOf('etcd://a:2379,[::1]:2379/?tls=true&prefix=/registry/arc.opendefense.cloud'), {
    endpoints: ['a:2379', '[::1]:2379'],
    tls: {},
    layout: { etcdPrefix: '/registry/arc.opendefense.cloud' },
  });
  assert.deepEqual(await etcdOptionsOf('etcd://arc:p%40ss@a:1?cafile=/ca.pem&certfile=c.pem&keyfile=k.pem'), {
    endpoints: ['a:1'],
    tls: { caFile: '/ca.pem', certFile: 'c.pem', keyFile: 'k.pem' },
    credentials: { user: 'arc', password: 'p@ss' },
    layout: {},
  });
});

test('a URL tells what the group is called in etcd', async () => {
  const { layout } = await etcdOptionsOf('etcd://a:1?prefix=/registry/arc.bwi.de&group=arc.bwi.de', { group: 'arc.opendefense.cloud' });
  assert.deepEqual(layout, { etcdPrefix: '/registry/arc.bwi.de', group: { inStore: 'arc.opendefense.cloud', inEtcd: 'arc.bwi.de' } });
  await assert.rejects(etcdOptionsOf('etcd://a:1?group=arc/bwi', { group: 'x.y' }), { message: /name of an API group/ });
  await assert.rejects(etcdOptionsOf('etcd://a:1?group=arc.bwi.de'), { message: /no group/ });
});

test('a password may be in a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arc-etcd-url-'));
  try {
    writeFileSync(join(folder, 'password'), 'correct horse\n');
    const { credentials } = await etcdOptionsOf(`etcd://arc@a:1?passwordfile=${join(folder, 'password')}`);
    const { user, password } = credentials ?? {};
    assert.ok(typeof password === 'function');
    assert.deepEqual([user, await password()], ['arc', 'correct horse']);
    writeFileSync(join(folder, 'password'), 'battery staple\n');
    assert.equal(await password(), 'battery staple', 'read anew for every login');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('what cannot be meant is refused by name, without the password', async () => {
  const refusals: readonly (readonly [url: string, message: RegExp])[] = [
    ['etcd:a:1', /form/],
    ['etcd://', /form/],
    ['etcd://u:s3cret@a:1/database', /form/],
    ['etcd://u:s3cret@a:1?ca=x', /no parameter "ca"/],
    ['etcd://u:s3cret%@a:1', /percent-encoded/],
    ['etcd://u@a:1', /no password is given for the user "u"/],
    ['etcd://u@a:1?passwordfile=/nowhere/p', /\/nowhere\/p/],
    ['etcd://a:1?tls=yes', /tls is true or false/],
    ['etcd://a:1?tls=false&cafile=x', /does not go with/],
    ['etcd://a:1?prefix=registry/', /slash/],
  ];
  for (const [url, message] of refusals) {
    await assert.rejects(etcdOptionsOf(url), (error: Error & { code: string }) => {
      assert.equal(error.code, 'InvalidStorageUrl', url);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    });
  }
});
