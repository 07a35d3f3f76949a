import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { secrets } from '@arc/api/core';
import { clientConfigOf, createKubeClient, loadKubeconfig } from '@arc/kube-client';
import { FakeClock } from '@arc/kernel';
import { readFile } from 'node:fs/promises';
import { startTestServer } from '../testing/test-server.ts';
import type { TestServer } from '../testing/test-server.ts';
import { groupsFrom, timeToLive } from './subject-options.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server[Symbol.asyncDispose]());

async function isAccepted(token: string): Promise<boolean> {
  const config = await clientConfigOf(await loadKubeconfig([{ path: server.kubeconfig, text: await readFile(server.kubeconfig, 'utf8') }]));
  const { clientCertificate: _admin, ...withoutCertificate } = config;
  await using client = createKubeClient({ ...withoutCertificate, token }, { userAgent: 'test' });
  try {
    const { body } = await client.raw({ path: '/healthz' });
    for await (const _chunk of body);
    return true;
  } catch (error) {
    assert.match(String(error), /Unauthorized/);
    return false;
  }
}

test('a token is printed once, works, is listed without itself, and ends when revoked', async () => {
  const issued = await server.arcctl(['user', 'token', 'ci', '--group', 'robots', '--group', 'nightly', '--ttl', '12h']);
  assert.equal(issued.code, 0, issued.stderr);
  const token = issued.stdout.trim();
  assert.match(token, /^arc_[0-9a-f]{16}_[\w-]{43}$/);
  assert.equal(await isAccepted(token), true);

  const listed = await server.arcctl(['user', 'list']);
  assert.match(listed.stdout, /^USER +KIND +GROUPS +EXPIRES +STATE +ID\nci +token +robots,nightly +\S+ +valid +user-token-[0-9a-f]{16}\n$/);
  assert.ok(!listed.stdout.includes(token.slice(-43)));
  const stored = JSON.stringify(await server.client.list(secrets, { namespace: 'kube-system' }));
  assert.ok(!stored.includes(token) && !stored.includes(btoa(token)));

  assert.equal((await server.arcctl(['user', 'revoke', 'ci', '--id', 'user-token-0'])).code, 3);
  const revoked = await server.arcctl(['user', 'revoke', 'ci']);
  assert.match(revoked.stdout, /^token user-token-[0-9a-f]{16} of user ci revoked\n$/);
  assert.equal(await isAccepted(token), false);
  const again = await server.arcctl(['user', 'revoke', 'ci']);
  assert.equal(again.code, 3);
  assert.match(again.stderr, /user ci has no credentials/);
});

test('names of the system cannot be taken, nor can a credential end before it begins', async () => {
  for (const args of [
    ['user', 'token', 'system:arc'],
    ['user', 'token', 'jane', '--group', 'system:masters'],
  ]) {
    const refused = await server.arcctl(args);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /names that begin with system: belong to the server/);
  }
  assert.equal((await server.arcctl(['user', 'token', 'jane', '--ttl', '0'])).code, 2);
  assert.match((await server.arcctl(['user', 'token', 'jane', '--ttl', 'soon'])).stderr, /invalid duration/);
  assert.equal((await server.client.list(secrets, { namespace: 'kube-system' })).items.length, 0);
});

test('what has expired is shown as such, and revoking removes its record', async () => {
  await server.arcctl(['user', 'token', 'old', '--ttl', '1h']);
  const later = new FakeClock(Date.now() + 2 * 3_600_000);
  const listed = await server.arcctl(['user', 'list', '-o', 'json'], { clock: later });
  const [row] = JSON.parse(listed.stdout) as { state: string; user: string }[];
  assert.deepEqual([row?.user, row?.state], ['old', 'expired']);
  assert.equal((await server.arcctl(['user', 'revoke', 'old'], { clock: later })).code, 0);
  assert.match((await server.arcctl(['user', 'list'])).stderr, /No credentials were handed out/);
});

test('user add says what it needs when there is no data directory', async () => {
  const result = await server.arcctl(['user', 'add', 'jane', '--data-dir', '/nonexistent', '--kubeconfig', '/nonexistent/k']);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /\/nonexistent\/pki\/ca\.crt cannot be read \(ENOENT\)/);
  assert.equal((await server.arcctl(['user', 'add', '../jane', '--data-dir', '/nonexistent'])).code, 2);
});

test('groups are taken once each, lifetimes in days too', () => {
  assert.deepEqual(groupsFrom({ options: { group: ['a', 'b', 'a'] } }), ['a', 'b']);
  assert.deepEqual(groupsFrom({ options: {} }), []);
  assert.equal(timeToLive({ options: { ttl: '30d' } }), 30 * 86_400_000);
  assert.equal(timeToLive({ options: { ttl: '90s' } }), 90_000);
});
