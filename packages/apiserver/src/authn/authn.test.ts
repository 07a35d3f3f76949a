import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '@arc/kernel';
import * as pki from '@arc/pki';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
let server: TestServer;

before(async () => {
  server = await startTestServer(pki);
});
after(() => server[Symbol.asyncDispose]());

const whoami = { spec: { nonResourceAttributes: { path: '/apis', verb: 'get' } } };
const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

test('6.1 nothing presented is anonymous, who may see health and nothing else', async () => {
  const nobody = server.withCertificate(undefined);
  assert.equal((await nobody.get('/healthz')).code, 200);
  const discovery = await nobody.get('/apis');
  assert.equal(discovery.code, 403);
  assert.equal(discovery.status().message, 'forbidden: User "system:anonymous" cannot get path "/apis"');
  assert.equal(discovery.headers['x-content-type-options'], 'nosniff');
  assert.equal((await nobody.post(reviews, whoami)).code, 403);
});

test('6.1 a certificate of another authority, expired, or not for clients is 401, not anonymous', async () => {
  const stranger = pki.createAuthority({ commonName: 'stranger' });
  const expired = { ...systemClock, now: () => Date.now() - 10 * 86_400_000 };
  const own = pki.createAuthority({ commonName: 'own', clock: expired });
  await using other = await startTestServer({ ...pki, createAuthority: () => own });
  const cases = [
    [server, pki.issueClientCertificate(stranger, { user: 'admin', groups: ['system:masters'] })],
    [other, pki.issueClientCertificate(own, { user: 'admin', groups: ['system:masters'], clock: expired, validityDays: 1 })],
    [other, pki.issueServerCertificate(own, { names: ['localhost'], addresses: [] })],
  ] as const;
  for (const [target, certificate] of cases) {
    const answer = await target.withCertificate(certificate).get('/healthz');
    assert.equal(answer.code, 401);
    assert.equal(answer.status().message, 'Unauthorized');
    assert.equal(answer.status().reason, 'Unauthorized');
  }
  assert.equal((await other.admin.get('/healthz')).code, 200);
});

test('6.1 unknown tokens are 401; X-Remote-* headers are never believed', async () => {
  const nobody = server.withCertificate(undefined);
  assert.equal((await nobody.get('/healthz', { authorization: 'Bearer x' })).code, 401);
  for (const header of ['X-Remote-User', 'x-remote-user', 'X-REMOTE-USER']) {
    const answer = await nobody.get(widgets, { [header]: 'admin', 'X-Remote-Group': 'system:masters' });
    assert.equal(answer.code, 403);
    assert.match(answer.status().message ?? '', /system:anonymous/);
  }
});

test('6.1 CN is the user, O the groups, system:authenticated is added', async () => {
  const jane = server.as('jane', ['dev', 'ops, and more']);
  assert.equal((await jane.get('/apis')).code, 200);
  assert.equal((await jane.get('/version')).code, 200);
  const answer = await jane.get(`${widgets}/w1`);
  assert.equal(answer.code, 403);
  assert.equal(
    answer.status().message,
    'widgets.demo.example.com "w1" is forbidden: User "jane" cannot get resource "widgets" in API group "demo.example.com" in the namespace "ns"',
  );
  assert.deepEqual(answer.status().details, { name: 'w1', group: 'demo.example.com', kind: 'widgets' });
  const listing = await server.as('a<b>&"c"').get('/apis/demo.example.com/v1/widgets');
  assert.equal(
    listing.status().message,
    String.raw`widgets.demo.example.com is forbidden: User "a&lt;b&gt;&amp;\"c\"" cannot list resource "widgets" in API group "demo.example.com" at the cluster scope`,
  );
  const status = await jane.send('PATCH', `${widgets}/w1/status`, { body: {} });
  assert.match(status.status().message ?? '', /cannot patch resource "widgets\/status" in API group/);
});

test('6.3 self reviews are answered from the authorizer', async () => {
  const ask = async (user: string, groups: string[], spec: unknown) =>
    (await server.as(user, groups).post(reviews, { spec })).object()['status'];
  const create = { resourceAttributes: { verb: 'create', group: 'demo.example.com', resource: 'widgets', namespace: 'ns' } };
  assert.deepEqual(await ask('root', ['system:masters'], create), { allowed: true });
  assert.deepEqual(await ask('jane', [], create), { allowed: false });
  assert.deepEqual(await ask('jane', [], whoami.spec), { allowed: true });
  const rules = await server.as('jane').post('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', { spec: { namespace: 'ns' } });
  assert.equal(rules.code, 201);
  const { resourceRules, incomplete } = rules.object()['status'] as { resourceRules: unknown[]; incomplete: boolean };
  assert.equal(incomplete, false);
  assert.ok(resourceRules.length > 0);
});

test('6.2 impersonation needs the right to it', async () => {
  const allowed = await server.admin.get(`${widgets}/w1`, { 'impersonate-user': 'bob', 'impersonate-group': ['g1', 'g2'] });
  assert.equal(allowed.code, 403);
  assert.match(allowed.status().message ?? '', /User "bob" cannot get/);
  const refused = await server.as('jane').get('/apis', { 'impersonate-user': 'bob' });
  assert.equal(refused.code, 403);
  assert.match(
    refused.status().message ?? '',
    /^users "bob" is forbidden: User "jane" cannot impersonate resource "users" in API group ""/,
  );
  const nameless = await server.admin.get('/apis', { 'impersonate-group': 'g' });
  assert.equal(nameless.code, 400);
  assert.match(nameless.status().message ?? '', /without impersonating a user$/);
});

test('an authorizer of the caller decides what is left open, with its reason', async () => {
  await using own = await startTestServer(pki, {
    authorizer: {
      authorize: ({ name, resource }, user) => {
        if (resource !== 'widgets') return { decision: 'noOpinion', reason: '' };
        if (user.name === 'jane' && name === 'mine') return { decision: 'allow', reason: '' };
        return { decision: 'deny', reason: 'not yours' };
      },
    },
  });
  const jane = own.as('jane');
  assert.equal((await jane.get(`${widgets}/mine`)).code, 404);
  assert.match((await jane.get(`${widgets}/other`)).status().message ?? '', /in the namespace "ns": not yours$/);
  // 2.1: a selector for one name needs the right to that name only.
  assert.equal((await jane.get(`${widgets}?fieldSelector=metadata.name%3Dmine`)).code, 200);
  assert.equal((await jane.get(widgets)).code, 403);
});
