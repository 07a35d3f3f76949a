import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as pki from '@arc/pki';
import { widget } from '../testing/kinds.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;

before(async () => {
  server = await startTestServer(pki);
});
after(() => server[Symbol.asyncDispose]());

function widgetsIn(namespace: string): string {
  return `/apis/demo.example.com/v1/namespaces/${namespace}/widgets`;
}

test('3.5 nothing is created in a namespace that does not exist', async () => {
  const answer = await server.admin.post(widgetsIn('nowhere'), widget('w'));
  assert.equal(answer.code, 404);
  assert.equal(answer.status().message, 'namespaces "nowhere" not found');
  assert.equal(answer.status().details?.kind, 'namespaces');
});

test('3.5 a namespace terminates, takes nothing new, and goes when finalize empties it', async () => {
  await server.admin.post('/api/v1/namespaces', { metadata: { name: 'dying' } });
  await server.admin.post(widgetsIn('dying'), widget('old'));
  const terminating = await server.admin.send('DELETE', '/api/v1/namespaces/dying');
  assert.equal(terminating.code, 200);
  assert.deepEqual(terminating.object()['status'], { phase: 'Terminating' });
  assert.notEqual(terminating.object().metadata.deletionTimestamp, undefined);

  const refused = await server.admin.post(widgetsIn('dying'), widget('new'));
  assert.equal(refused.code, 403);
  assert.equal(
    refused.status().message,
    'widgets.demo.example.com "new" is forbidden: unable to create new content in namespace dying because it is being terminated',
  );
  assert.deepEqual(refused.status().details?.causes, [
    { reason: 'NamespaceTerminating', message: 'namespace dying is being terminated', field: 'metadata.namespace' },
  ]);

  const put = { ...terminating.object(), spec: {} };
  assert.deepEqual((await server.admin.send('PUT', '/api/v1/namespaces/dying', { body: put })).object()['spec'], {
    finalizers: ['kubernetes'],
  });
  assert.equal((await server.admin.send('DELETE', `${widgetsIn('dying')}/old`)).code, 200);
  const finalized = await server.admin.send('PUT', '/api/v1/namespaces/dying/finalize', { body: put });
  assert.equal(finalized.code, 200);
  assert.equal((await server.admin.get('/api/v1/namespaces/dying')).code, 404);
});

test('3.5 default may not be deleted', async () => {
  await server.admin.post('/api/v1/namespaces', { metadata: { name: 'default' } });
  const answer = await server.admin.send('DELETE', '/api/v1/namespaces/default');
  assert.equal(answer.code, 403);
  assert.equal(answer.status().message, 'namespaces "default" is forbidden: this namespace may not be deleted');
});
