import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as pki from '@arc/pki';
import { createMemoryStore, type Store, StorageError } from '@arc/storage';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
let broken = false;

/** A store whose database can be taken away. */
function fragile(store: Store): Store {
  const unlessBroken = <T>(work: () => Promise<T>): Promise<T> =>
    broken ? Promise.reject(new StorageError('Unavailable', 'the database is away')) : work();
  return {
    commit: (batch) => unlessBroken(() => store.commit(batch)),
    get: (key, options) => unlessBroken(() => store.get(key, options)),
    range: (options) => unlessBroken(() => store.range(options)),
    currentRevision: (options) => unlessBroken(() => store.currentRevision(options)),
    changes: (after, signal) => store.changes(after, signal),
    compact: (revision) => store.compact(revision),
    compactedRevision: () => store.compactedRevision(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

before(async () => {
  const connector = {
    group: 'demo.example.com',
    plural: 'widgets',
    subresource: 'log',
    verbs: ['get' as const],
    handle: async () => ({ contentType: 'text/plain', body: (async function* () {})() }),
  };
  server = await startTestServer(pki, { store: fragile(createMemoryStore()), connectors: [connector] });
});
after(() => server[Symbol.asyncDispose]());

test('D1-D6 plain discovery', async () => {
  for (const path of [
    '/api',
    '/apis',
    '/api/v1',
    '/apis/demo.example.com',
    '/apis/demo.example.com/v1',
    '/apis/',
    '/apis/demo.example.com/v1/',
  ]) {
    assert.equal((await server.admin.get(path)).code, 200, path);
  }
  assert.equal((await server.admin.get('/apis/nothing.example.com')).code, 404);
  assert.equal((await server.admin.get('/apis/demo.example.com/v9')).code, 404);
  const resources = (await server.admin.get('/apis/demo.example.com/v1')).object()['resources'] as { name: string; verbs: string[] }[];
  assert.deepEqual(
    resources.map(({ name }) => name),
    ['widgets', 'widgets/status', 'widgets/log'],
  );
  assert.deepEqual(resources[0]?.verbs, ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']);
  const core = (await server.admin.get('/api/v1')).object()['resources'] as { name: string }[];
  assert.ok(core.some(({ name }) => name === 'namespaces/finalize'));
});

test('1.2 aggregated discovery by clause, with its own content type and entity tag', async () => {
  const v2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const beta = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList';
  const newest = await server.admin.get('/apis', { accept: `${v2};profile=nopeer,${beta},application/json` });
  assert.equal(newest.headers['content-type'], v2);
  assert.equal(newest.headers['vary'], 'Accept');
  assert.equal(newest.headers['cache-control'], 'public');
  assert.equal(newest.object().apiVersion, 'apidiscovery.k8s.io/v2');
  assert.match(String(newest.headers['etag']), /^"[0-9A-F]{128}"$/);
  assert.equal((await server.admin.get('/api', { accept: beta })).headers['content-type'], beta);
  const plain = await server.admin.get('/apis', { accept: 'application/json' });
  assert.equal(plain.headers['content-type'], 'application/json');
  assert.equal(plain.object().kind, 'APIGroupList');
  const cached = await server.admin.get('/apis', { accept: v2, 'if-none-match': String(newest.headers['etag']) });
  assert.equal(cached.code, 304);
  assert.equal(cached.bytes.length, 0);
  const never = await server.admin.get('/apis', { accept: 'application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList' });
  assert.equal(never.code, 406);
  assert.match(never.status().message ?? '', /^only the following media types are accepted: /);
});

test('1.4 OpenAPI v3: the index points to documents by the hash of their content', async () => {
  const index = await server.admin.get('/openapi/v3', { accept: 'application/json, */*' });
  const paths = JSON.parse(index.text).paths as Record<string, { serverRelativeURL: string }>;
  const url = paths['apis/demo.example.com/v1']?.serverRelativeURL ?? '';
  assert.match(url, /^\/openapi\/v3\/apis\/demo\.example\.com\/v1\?hash=[0-9A-F]{128}$/);
  const document = await server.admin.get(`${url}&timeout=32s`);
  assert.equal(document.code, 200);
  assert.equal(document.headers['cache-control'], 'public, immutable');
  assert.match(String(document.headers['expires']), /GMT$/);
  const operation = JSON.parse(document.text).paths['/apis/demo.example.com/v1/namespaces/{namespace}/widgets/{name}'].patch;
  assert.deepEqual(operation['x-kubernetes-group-version-kind'], { group: 'demo.example.com', version: 'v1', kind: 'Widget' });
  // 0.7: what is answered 415 must not be offered.
  assert.deepEqual(Object.keys(operation.requestBody.content).sort(), [
    'application/apply-patch+yaml',
    'application/json-patch+json',
    'application/merge-patch+json',
  ]);
  const stale = await server.admin.get('/openapi/v3/apis/demo.example.com/v1?hash=ABC');
  assert.equal(stale.code, 200);
  assert.equal(stale.headers['cache-control'], 'no-cache, private');
  const again = await server.admin.get('/openapi/v3', { 'if-none-match': String(index.headers['etag']) });
  assert.equal(again.code, 304);
  assert.equal((await server.admin.get('/openapi/v3/apis/nothing/v1')).code, 404);
  const proto = await server.admin.get('/openapi/v3', { accept: 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf' });
  assert.equal(proto.code, 406);
});

test('1.5 health in Kubernetes words', async () => {
  const ready = await server.admin.get('/readyz');
  assert.equal(ready.text, 'ok');
  assert.equal(ready.headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal(ready.headers['x-content-type-options'], 'nosniff');
  assert.equal(
    (await server.admin.get('/readyz?verbose')).text,
    '[+]ping ok\n[+]storage ok\n[+]watch-cache ok\n[+]shutdown ok\nreadyz check passed\n',
  );
  assert.equal(
    (await server.admin.get('/readyz?verbose&exclude=storage&exclude=x')).text,
    '[+]ping ok\n[+]storage excluded: ok\n[+]watch-cache ok\n[+]shutdown ok\nwarn: some health checks cannot be excluded: no matches for "x"\nreadyz check passed\n',
  );
  assert.equal((await server.admin.get('/readyz/ping')).text, 'ok');
  assert.equal((await server.admin.get('/readyz/nothing')).code, 404);
  assert.equal((await server.admin.get('/livez')).text, 'ok');
});

test('1.5 /version, /, and what does not exist', async () => {
  assert.match(String((await server.admin.get('/version?timeout=32s')).object()['gitVersion']), /^v1\.\d+\.\d+/);
  assert.ok((await server.admin.get('/')).object()['paths']);
  const unknown = await server.admin.get('/nothing');
  assert.equal(unknown.code, 404);
  assert.equal(unknown.text, '404 page not found\n');
});

test('0.1 without a database discovery still answers, and everything else is 5xx with a retry', async (t) => {
  broken = true;
  t.after(() => {
    broken = false;
  });
  assert.equal((await server.admin.get('/apis/demo.example.com/v1')).code, 200);
  assert.equal((await server.admin.get('/livez')).code, 200);
  const ready = await server.admin.get('/readyz');
  assert.equal(ready.code, 500);
  assert.equal(ready.text, '[+]ping ok\n[-]storage failed: reason withheld\n[+]watch-cache ok\n[+]shutdown ok\nreadyz check failed\n');
  const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
  const answers = [
    await server.admin.get(`${widgets}/w`),
    await server.admin.get(widgets),
    await server.admin.post(widgets, { metadata: { name: 'w' }, spec: { size: 1 } }),
    await server.admin.send('DELETE', `${widgets}/w`),
  ];
  for (const [index, verb] of ['get', 'list', 'create', 'delete'].entries()) {
    const answer = answers[index];
    assert.equal(answer?.code, 500);
    assert.equal(answer.status().reason, 'ServerTimeout');
    assert.equal(
      answer.status().message,
      `The ${verb} operation against widgets.demo.example.com could not be completed at this time, please try again.`,
    );
    assert.equal(answer.headers['retry-after'], '2');
  }
});

test('1.3 OpenAPI v2 answers in JSON and in protobuf, so that kubectl can say that a kind is unknown', async () => {
  const json = await server.admin.get('/openapi/v2');
  assert.deepEqual([json.code, json.headers['content-type']], [200, 'application/json']);
  const protobuf = await server.admin.get('/openapi/v2', { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' });
  assert.equal(protobuf.headers['content-type'], 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
  assert.match(protobuf.text, /^\n\u00032\.0\u0012/);
  assert.equal((await server.admin.get('/openapi/v2', { 'if-none-match': String(json.headers['etag']) })).code, 304);
});
