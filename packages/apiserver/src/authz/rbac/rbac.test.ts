import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as pki from '@arc/pki';
import { widget } from '../../testing/kinds.ts';
import { standaloneTestKinds } from '../../testing/standalone-kinds.ts';
import { startTestServer, type TestServer } from '../../testing/test-server.ts';

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
const group = 'demo.example.com';

let server: TestServer;
before(async () => {
  server = await startTestServer(pki, { kinds: standaloneTestKinds });
  await made('/api/v1/namespaces', { metadata: { name: 'other' } });
  await made(`${rbac}/clusterroles`, {
    metadata: { name: 'basic' },
    rules: [
      { verbs: ['get'], nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*', '/version'] },
      { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'] },
    ],
  });
  await made(`${rbac}/clusterrolebindings`, binding('basic', 'ClusterRole/basic', { kind: 'Group', name: 'system:authenticated' }));
  await made(`${rbac}/clusterroles`, {
    metadata: { name: 'editor' },
    rules: [{ verbs: ['*'], apiGroups: [group], resources: ['widgets'] }],
  });
});
after(() => server[Symbol.asyncDispose]());

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

function binding(name: string, role: string, ...subjects: readonly Subject[]): Record<string, unknown> {
  const [kind, roleName] = role.split('/');
  return { metadata: { name }, subjects, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: roleName } };
}

async function made(path: string, object: unknown): Promise<void> {
  const answer = await server.admin.post(path, object);
  assert.equal(answer.code, 201, answer.text);
}

test('6.3 a RoleBinding of a ClusterRole gives its rights in that namespace only', async () => {
  const jane = server.as('jane');
  assert.equal((await jane.get(widgets)).code, 403);
  await made(`${rbac}/namespaces/ns/rolebindings`, binding('jane', 'ClusterRole/editor', { kind: 'User', name: 'jane' }));
  assert.equal((await jane.get(widgets)).code, 200);
  assert.equal((await jane.post(widgets, widget('mine'))).code, 201);
  assert.equal(
    (await jane.get('/apis/demo.example.com/v1/namespaces/other/widgets')).status().message,
    'widgets.demo.example.com is forbidden: User "jane" cannot list resource "widgets" in API group "demo.example.com" in the namespace "other"',
  );
  assert.match((await jane.get('/apis/demo.example.com/v1/widgets')).status().message ?? '', /at the cluster scope$/);
  assert.match((await jane.get(`${widgets}/mine/status`)).status().message ?? '', /cannot get resource "widgets\/status"/);

  await server.admin.send('DELETE', `${rbac}/namespaces/ns/rolebindings/jane`);
  assert.equal((await jane.get(widgets)).code, 403);
});

test('6.3 groups and service accounts, a ClusterRoleBinding, resourceNames', async () => {
  await made(`${rbac}/clusterrolebindings`, binding('ops', 'ClusterRole/editor', { kind: 'Group', name: 'ops' }));
  assert.equal((await server.as('olga', ['ops']).get('/apis/demo.example.com/v1/widgets')).code, 200);

  await made(`${rbac}/namespaces/ns/roles`, {
    metadata: { name: 'one' },
    rules: [{ verbs: ['get', 'list', 'watch'], apiGroups: [group], resources: ['widgets'], resourceNames: ['w1'] }],
  });
  await made(`${rbac}/namespaces/ns/rolebindings`, binding('bot', 'Role/one', { kind: 'ServiceAccount', name: 'bot' }));
  const bot = server.as('system:serviceaccount:ns:bot');
  await made(widgets, widget('w1'));
  assert.equal((await bot.get(`${widgets}/w1`)).code, 200);
  assert.equal((await bot.get(`${widgets}/w2`)).code, 403);
  assert.equal((await bot.get(widgets)).code, 403);
  assert.equal((await bot.get(`${widgets}?fieldSelector=metadata.name%3Dw1`)).code, 200);
  assert.equal((await server.as('system:serviceaccount:other:bot').get(`${widgets}/w1`)).code, 403);
});

test('6.3 a binding of a role that does not exist is named in the refusal', async () => {
  await made(`${rbac}/namespaces/other/rolebindings`, binding('lost', 'Role/nowhere', { kind: 'User', name: 'lost' }));
  const answer = await server.as('lost').get('/apis/demo.example.com/v1/namespaces/other/widgets');
  assert.match(answer.status().message ?? '', /in the namespace "other": RBAC: role\.rbac\.authorization\.k8s\.io "nowhere" not found$/);
});

test('6.3 without a binding there is no discovery; health needs none', async () => {
  await using bare = await startTestServer(pki, { kinds: standaloneTestKinds });
  assert.equal((await bare.as('jane').get('/apis')).code, 403);
  assert.equal((await bare.withCertificate(undefined).get('/healthz')).code, 200);
  assert.equal((await server.as('jane').get('/apis')).code, 200);
});

test('6.3 reviews: of oneself with the rules, of others by those who may ask', async () => {
  await made(`${rbac}/namespaces/ns/rolebindings`, binding('rita', 'ClusterRole/editor', { kind: 'User', name: 'rita' }));
  const resourceAttributes = { verb: 'delete', group, resource: 'widgets', namespace: 'ns' };
  const own = await server.as('rita').post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { spec: { resourceAttributes } });
  assert.deepEqual(own.object()['status'], {
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "rita/ns" of ClusterRole "editor" to User "rita"',
  });
  const rules = await server.as('rita').post('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', { spec: { namespace: 'ns' } });
  assert.deepEqual((rules.object()['status'] as Record<string, unknown>)['resourceRules'], [
    { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'] },
    { verbs: ['*'], apiGroups: [group], resources: ['widgets'] },
  ]);

  const sar = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const about = (user: string): unknown => ({ spec: { user, resourceAttributes } });
  assert.equal((await server.as('rita').post(sar, about('rita'))).code, 403);
  const allowed = async (path: string, user: string): Promise<unknown> =>
    ((await server.admin.post(path, about(user))).object()['status'] as Record<string, unknown>)['allowed'];
  assert.equal(await allowed(sar, 'rita'), true);
  assert.equal(await allowed(sar, 'nobody'), false);
  const local = '/apis/authorization.k8s.io/v1/namespaces/ns/localsubjectaccessreviews';
  assert.equal(await allowed(local, 'rita'), true);
  assert.equal((await server.admin.post(local.replace('/ns/', '/other/'), about('rita'))).code, 400);
});

test('nobody grants what they do not have: roles, bindings, aggregation, and the verbs escalate and bind', async () => {
  const rules = (...list: readonly unknown[]): unknown => ({ metadata: { name: 'granter' }, rules: list });
  await made(
    `${rbac}/namespaces/ns/roles`,
    rules(
      { verbs: ['*'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], resourceNames: [] },
      { verbs: ['get'], apiGroups: [group], resources: ['widgets'] },
    ),
  );
  // `*` would include escalate and bind.
  await server.admin.send('PUT', `${rbac}/namespaces/ns/roles/granter`, {
    body: {
      metadata: {
        name: 'granter',
        resourceVersion: String((await server.admin.get(`${rbac}/namespaces/ns/roles/granter`)).object().metadata.resourceVersion),
      },
      rules: [
        {
          verbs: ['get', 'create', 'update', 'patch', 'delete'],
          apiGroups: ['rbac.authorization.k8s.io'],
          resources: ['roles', 'rolebindings'],
        },
        { verbs: ['get'], apiGroups: [group], resources: ['widgets'] },
      ],
    },
  });
  await made(`${rbac}/namespaces/ns/rolebindings`, binding('greta', 'Role/granter', { kind: 'User', name: 'greta' }));
  const greta = server.as('greta');
  const roles = `${rbac}/namespaces/ns/roles`;
  const role = (name: string, ...verbs: readonly string[]): unknown => ({
    metadata: { name },
    rules: [{ verbs, apiGroups: [group], resources: ['widgets'] }],
  });
  assert.equal((await greta.post(roles, role('reader', 'get'))).code, 201);
  const refused = await greta.post(roles, role('writer', 'get', 'delete'));
  assert.equal(refused.code, 403);
  assert.equal(
    refused.status().message,
    'roles.rbac.authorization.k8s.io "writer" is forbidden: user "greta" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:["demo.example.com"], Resources:["widgets"], Verbs:["delete"]}',
  );
  const widened = await greta.send('PATCH', `${roles}/reader`, {
    body: { rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  assert.equal(widened.code, 403);
  assert.equal((await greta.post(`${roles}?dryRun=All`, role('writer', 'delete'))).code, 403);
  for (const name of ['reader', 'writer']) {
    const applied = await greta.send('PATCH', `${roles}/${name}?fieldManager=greta&force=true`, {
      body: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', ...(role(name, 'delete') as object) },
      headers: { 'content-type': 'application/apply-patch+yaml' },
    });
    assert.match(applied.status().message ?? '', /is attempting to grant RBAC permissions not currently held/, name);
  }

  const bindings = `${rbac}/namespaces/ns/rolebindings`;
  assert.equal((await greta.post(bindings, binding('ok', 'Role/reader', { kind: 'User', name: 'x' }))).code, 201);
  assert.equal((await greta.post(bindings, binding('no', 'ClusterRole/editor', { kind: 'User', name: 'greta' }))).code, 403);
  assert.equal((await greta.post(bindings, binding('no', 'Role/absent', { kind: 'User', name: 'greta' }))).code, 404);

  await made(roles, {
    metadata: { name: 'delegate' },
    rules: [
      { verbs: ['bind'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], resourceNames: ['editor'] },
      { verbs: ['escalate'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'], resourceNames: ['writer'] },
    ],
  });
  await made(bindings, binding('delegate', 'Role/delegate', { kind: 'User', name: 'greta' }));
  assert.equal((await greta.post(bindings, binding('now', 'ClusterRole/editor', { kind: 'User', name: 'x' }))).code, 201);
  assert.equal((await greta.send('PUT', `${roles}/writer`, { body: role('writer', 'delete') })).code, 404);
  // `escalate` on the name does not help to create: a creation has the name in its body, which is what is asked about.
  assert.equal((await greta.post(roles, role('writer', 'delete'))).code, 201);
  assert.equal((await greta.post(roles, role('other', 'delete'))).code, 403);

  await made(`${rbac}/clusterroles`, {
    metadata: { name: 'cr-writer' },
    rules: [{ verbs: ['create'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'] }],
  });
  await made(`${rbac}/clusterrolebindings`, binding('cr', 'ClusterRole/cr-writer', { kind: 'User', name: 'carl' }));
  const aggregated = await server
    .as('carl')
    .post(`${rbac}/clusterroles`, { metadata: { name: 'agg' }, aggregationRule: { clusterRoleSelectors: [{}] } });
  assert.equal(aggregated.code, 403);
  assert.match(aggregated.status().message ?? '', /must have cluster-admin privileges to use the aggregationRule/);
});
