import assert from 'node:assert/strict';
import { test } from 'node:test';
import { X509Certificate } from 'node:crypto';
import { FakeClock } from '@arc/kernel';
import * as pki from '@arc/pki';
import { standaloneTestKinds } from '../testing/standalone-kinds.ts';
import { startTestServer } from '../testing/test-server.ts';
import { certificateSecret, issueToken, readTokenSecret, revocationPatch, tokenSecretType } from './credential-secrets.ts';

const secrets = '/api/v1/namespaces/kube-system/secrets';
const hour = 3_600_000;

function startServer(options: Parameters<typeof startTestServer>[1] = {}): ReturnType<typeof startTestServer> {
  return startTestServer(pki, { kinds: standaloneTestKinds, ...options });
}

test('6.1 a bearer token stands for its user and groups until it expires or its Secret is deleted', async () => {
  await using server = await startServer();
  await server.admin.post('/api/v1/namespaces', { metadata: { name: 'kube-system' } });
  const nobody = server.withCertificate(undefined);
  const { token, secret } = issueToken({ user: 'jane', groups: ['dev'], expires: Date.now() + hour });
  const authorization = `Bearer ${token}`;
  assert.equal((await nobody.get('/healthz', { authorization })).code, 401);
  assert.equal((await server.admin.post(secrets, secret)).code, 201);
  assert.equal((await nobody.get('/healthz', { authorization })).code, 200);
  const refused = await nobody.get('/version', { authorization });
  assert.equal(refused.status().message, 'forbidden: User "jane" cannot get path "/version"');

  for (const wrong of [`Bearer ${token}x`, `Bearer ${token.slice(0, -1)}`, `Basic ${token}`, token, 'Bearer', `Bearer ${token} ${token}`]) {
    assert.equal((await nobody.get('/healthz', { authorization: wrong })).code, 401, wrong);
  }
  const other = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
  assert.equal((await nobody.get('/healthz', { authorization: `Bearer ${other}` })).code, 401);

  const review = async (text: string): Promise<unknown> =>
    (await server.admin.post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: text } })).object()['status'];
  assert.deepEqual(await review(token), { authenticated: true, user: { username: 'jane', groups: ['dev', 'system:authenticated'] } });
  assert.deepEqual(await review('nonsense'), { authenticated: false });

  await server.admin.send('DELETE', `${secrets}/${secret.metadata.name}`);
  assert.equal((await nobody.get('/healthz', { authorization })).code, 401);
});

test('6.1 an expired token is 401', async () => {
  const clock = new FakeClock(Date.now());
  await using server = await startServer({ clock });
  await server.admin.post('/api/v1/namespaces', { metadata: { name: 'kube-system' } });
  const { token, secret } = issueToken({ user: 'jane', groups: [], expires: clock.now() + hour });
  await server.admin.post(secrets, secret);
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await server.withCertificate(undefined).get('/healthz', headers)).code, 200);
  await clock.advance(hour);
  assert.equal((await server.withCertificate(undefined).get('/healthz', headers)).code, 401);
});

test('a token can stand for nobody of the system, even when somebody writes its Secret by hand', async () => {
  assert.throws(() => issueToken({ user: 'system:admin', groups: [], expires: 0 }), { code: 'ReservedName' });
  assert.throws(() => issueToken({ user: 'jane', groups: ['system:masters'], expires: 0 }), { code: 'ReservedName' });
  await using server = await startServer();
  await server.admin.post('/api/v1/namespaces', { metadata: { name: 'kube-system' } });
  const { token, secret } = issueToken({ user: 'jane', groups: [], expires: Date.now() + hour });
  const forged = { ...secret, data: { ...(secret['data'] as object), groups: btoa('["system:masters"]') } };
  await server.admin.post(secrets, forged);
  assert.equal((await server.withCertificate(undefined).get('/healthz', { authorization: `Bearer ${token}` })).code, 401);
});

test('the Secret of a token does not hold it, and garbage is no token', () => {
  const { token, secret } = issueToken({ user: 'jane', groups: ['a'], expires: Date.parse('2030-01-01T00:00:00Z') });
  const text =
    JSON.stringify(secret) +
    Object.values(secret['data'] as Record<string, string>)
      .map(atob)
      .join();
  assert.ok(!text.includes(token.slice(21)));
  const { hash, ...subject } = readTokenSecret(secret) ?? { hash: new Uint8Array() };
  assert.equal(hash.length, 32);
  assert.deepEqual(subject, { user: 'jane', groups: ['a'], expires: Date.parse('2030-01-01T00:00:00Z') });
  for (const data of [
    undefined,
    {},
    { ...(secret['data'] as object), groups: btoa('{') },
    { ...(secret['data'] as object), expires: btoa('x') },
  ]) {
    assert.equal(readTokenSecret({ type: tokenSecretType, data }), undefined);
  }
  assert.equal(readTokenSecret({ ...secret, type: 'Opaque' }), undefined);
});

test('a revoked client certificate is 401, on connections that are open too', async () => {
  await using server = await startServer();
  await server.admin.post('/api/v1/namespaces', { metadata: { name: 'kube-system' } });
  const serial = new X509Certificate(server.adminCertificate.certPem).serialNumber;
  const record = certificateSecret(serial, { user: 'admin', groups: [], expires: Date.now() + hour });
  assert.equal((await server.admin.post(secrets, record)).code, 201);
  assert.equal((await server.admin.get('/healthz')).code, 200);
  const patched = await server.admin.send('PATCH', `${secrets}/${record.metadata.name}`, {
    body: revocationPatch(),
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  assert.equal(patched.code, 200);
  assert.equal((await server.admin.get('/healthz')).code, 401);
});
