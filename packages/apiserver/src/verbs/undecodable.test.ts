import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as pki from '@arc/pki';
import { standaloneTestKinds } from '../testing/standalone-kinds.ts';
import { widget } from '../testing/kinds.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
const prefix = '/registry/demo.example.com/widgets/ns/';
let server: TestServer;

before(async () => {
  server = await startTestServer(pki);
});
after(() => server[Symbol.asyncDispose]());

/** Puts bytes where an object would be, as a foreign program or a damaged disk does. */
async function damage(key: string, value = '{"metadata":{"name":"bad"},"secret":"hunter2"'): Promise<void> {
  const current = await server.store.get(key);
  const [outcome] = await server.store.commit([{ key, expect: current?.revision ?? 'absent', value: Buffer.from(value) }]);
  assert.equal(outcome?.committed, true);
}

async function remove(key: string): Promise<void> {
  const current = await server.store.get(key);
  await server.store.commit([{ key, expect: current?.revision ?? 'absent', value: null }]);
}

test('what is stored but cannot be read is an error that names it and says what to do, never 404', async () => {
  const key = `${prefix}bad`;
  await damage(key);
  const refused = async (method: string, path: string, body?: unknown, type = 'application/json'): Promise<void> => {
    const answer = await server.admin.send(method, path, {
      ...(body !== undefined && { body, headers: { 'content-type': type } }),
    });
    assert.equal(answer.code, 500, `${method} ${answer.text}`);
    const { reason, message } = answer.status();
    assert.equal(reason, 'InternalError');
    assert.match(message ?? '', new RegExp(`^Internal error occurred: .*${key}.*"arcctl storage doctor"`));
    assert.doesNotMatch(answer.text, /hunter2/);
  };
  await refused('GET', `${widgets}/bad`);
  await refused('GET', `${widgets}/bad?resourceVersion=0`);
  await refused('PUT', `${widgets}/bad`, widget('bad', {}, { namespace: 'ns', resourceVersion: '1' }));
  await refused('PATCH', `${widgets}/bad`, { spec: { size: 3 } }, 'application/merge-patch+json');
  await refused('PATCH', `${widgets}/bad?fieldManager=me`, widget('bad'), 'application/apply-patch+yaml');
  await refused('DELETE', `${widgets}/bad`);
  assert.ok((await server.store.get(key)) !== undefined, 'it is still there');
  await remove(key);
  assert.equal((await server.admin.get(`${widgets}/bad`)).code, 404);
});

test('nothing can be created in its place', async () => {
  await damage(`${prefix}taken`);
  for (const query of ['', '?dryRun=All']) {
    const answer = await server.admin.post(`${widgets}${query}`, widget('taken'));
    assert.equal(answer.code, 409, answer.text);
    assert.equal(answer.status().reason, 'AlreadyExists');
  }
  assert.match((await server.admin.post(widgets, widget('taken'))).status().message ?? '', /already exists, but .*arcctl storage doctor/);
  await remove(`${prefix}taken`);
});

test('a list of many goes on without it and says so; a list of another name says nothing', async () => {
  await server.admin.post(widgets, widget('good'));
  await server.admin.post('/api/v1/namespaces', { metadata: { name: 'other' } });
  await damage(`${prefix}a1`);
  await damage(`${prefix}a2`, '[]');
  const names = (answer: { readonly object: () => unknown }): readonly string[] =>
    (answer.object() as { readonly items: readonly { readonly metadata: { readonly name: string } }[] }).items.map(
      ({ metadata }) => metadata.name,
    );
  for (const path of [widgets, '/apis/demo.example.com/v1/widgets', `${widgets}?limit=5`]) {
    const answer = await server.admin.get(path);
    assert.equal(answer.code, 200);
    assert.deepEqual(names(answer), ['good']);
    assert.equal(
      answer.headers['warning'],
      `299 - "this list lacks 2 objects that cannot be read, the first stored under ${prefix}a1; \\"arcctl storage doctor\\" lists such objects"`,
    );
  }
  assert.match(
    String((await server.admin.get(`${widgets}?fieldSelector=metadata.name%3Da2`)).headers['warning']),
    /lacks 1 object that cannot be read, stored under \S+a2;/,
  );
  assert.equal((await server.admin.get(`${widgets}?fieldSelector=metadata.name%3Dgood`)).headers['warning'], undefined);
  assert.equal((await server.admin.get('/apis/demo.example.com/v1/namespaces/other/widgets')).headers['warning'], undefined);
  for (const name of ['a1', 'a2']) await remove(`${prefix}${name}`);
  assert.equal((await server.admin.get(widgets)).headers['warning'], undefined);
});

test('watchers see an object that goes bad leave, and nothing else of it', async () => {
  await server.admin.post(widgets, widget('watched'));
  const { metadata } = (await server.admin.get(widgets)).object();
  await using watch = await server.admin.watch(`${widgets}?watch=1&resourceVersion=${String(metadata.resourceVersion)}`);
  await damage(`${prefix}watched`);
  await damage(`${prefix}never-good`);
  await remove(`${prefix}watched`);
  await server.admin.post(widgets, widget('last'));
  for (const expected of ['DELETED watched', 'ADDED last']) {
    const event = await watch.next();
    assert.equal(`${event?.type} ${String(event?.object.metadata?.name)}`, expected);
  }
  await remove(`${prefix}never-good`);
});

test('a namespace that cannot be read takes no objects, and a role that cannot be read grants nothing', async () => {
  await damage('/registry/core/namespaces/broken');
  const answer = await server.admin.post('/apis/demo.example.com/v1/namespaces/broken/widgets', widget('w'));
  assert.equal(answer.code, 500);
  assert.match(answer.status().message ?? '', /\/registry\/core\/namespaces\/broken/);

  await using standalone = await startTestServer(pki, { kinds: standaloneTestKinds });
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const role = { metadata: { name: 'reader' }, rules: [{ apiGroups: ['demo.example.com'], resources: ['widgets'], verbs: ['list'] }] };
  for (const name of ['reader', 'damaged']) await standalone.admin.post(`${rbac}/clusterroles`, { ...role, metadata: { name } });
  for (const name of ['reader', 'damaged']) {
    await standalone.admin.post(`${rbac}/clusterrolebindings`, {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'User', name: `user-of-${name}` }],
    });
  }
  const key = '/registry/rbac.authorization.k8s.io/clusterroles/damaged';
  const current = await standalone.store.get(key);
  await standalone.store.commit([{ key, expect: current?.revision ?? 'absent', value: Buffer.from('nonsense') }]);
  assert.equal((await standalone.as('user-of-reader').get(widgets)).code, 200);
  assert.equal((await standalone.as('user-of-damaged').get(widgets)).code, 403);
});
