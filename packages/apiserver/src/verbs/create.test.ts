import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import * as pki from '@arc/pki';
import { widget } from '../testing/kinds.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
let server: TestServer;

before(async () => {
  server = await startTestServer(pki, { clock: new FakeClock(Date.now()) });
});
after(() => server[Symbol.asyncDispose]());

test('2.6 create fills in what the server decides and wipes what clients may not set', async () => {
  const answer = await server.admin.post(widgets, {
    ...widget('created', {}, { uid: 'mine', creationTimestamp: '2001-01-01T00:00:00Z', generation: 7 }),
    status: { ready: true },
  });
  assert.equal(answer.code, 201);
  const { metadata, ...object } = answer.object();
  assert.match(metadata.uid ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.match(metadata.creationTimestamp ?? '', /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.notEqual(metadata.creationTimestamp, '2001-01-01T00:00:00Z');
  assert.match(metadata.resourceVersion ?? '', /^[1-9]\d*$/);
  assert.equal(metadata.generation, 1);
  assert.equal(metadata.namespace, 'ns');
  assert.deepEqual(object, { apiVersion: 'demo.example.com/v1', kind: 'Widget', spec: { size: 1, color: 'red' } });
  assert.deepEqual((await server.admin.get(`${widgets}/created`)).object(), answer.object());
});

test('2.6 kind and apiVersion are defaulted from the URL and must otherwise agree', async () => {
  assert.equal((await server.admin.post(widgets, { metadata: { name: 'bare' }, spec: { size: 1 } })).code, 201);
  const version = await server.admin.post(widgets, { ...widget('x'), apiVersion: 'demo.example.com/v2' });
  assert.equal(version.code, 400);
  assert.equal(
    version.status().message,
    'the API version in the data (demo.example.com/v2) does not match the expected API version (demo.example.com/v1)',
  );
  assert.equal((await server.admin.post(widgets, { ...widget('x'), kind: 'Gadget' })).code, 400);
});

test('2.3 namespace of body and URL must agree', async () => {
  const answer = await server.admin.post(widgets, widget('x', {}, { namespace: 'other' }));
  assert.equal(answer.code, 400);
  assert.equal(answer.status().message, 'the namespace of the provided object does not match the namespace sent on the request');
});

test('2.3 AlreadyExists, also while the old one is being deleted', async () => {
  await server.admin.post(widgets, widget('twice', {}, { finalizers: ['example.com/hold'] }));
  const again = await server.admin.post(widgets, widget('twice'));
  assert.equal(again.code, 409);
  assert.equal(again.status().reason, 'AlreadyExists');
  assert.equal(again.status().message, 'widgets.demo.example.com "twice" already exists');
  assert.deepEqual(again.status().details, { name: 'twice', group: 'demo.example.com', kind: 'widgets' });
  await server.admin.send('DELETE', `${widgets}/twice`);
  const dying = await server.admin.post(widgets, widget('twice'));
  assert.equal(dying.status().message, 'object is being deleted: widgets.demo.example.com "twice" already exists');
});

test('3.1 generateName makes a name', async () => {
  const answer = await server.admin.post(widgets, { metadata: { generateName: 'gen-' }, spec: { size: 1 } });
  assert.match(answer.object().metadata.name ?? '', /^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
});

test('2.3 validation names every field, with causes', async () => {
  const odd = await server.admin.post(widgets, widget('w2', { size: 2 }));
  assert.equal(odd.code, 422);
  assert.deepEqual(odd.status(), {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'Widget.demo.example.com "w2" is invalid: spec.size: Invalid value: 2: must be odd',
    reason: 'Invalid',
    details: {
      name: 'w2',
      group: 'demo.example.com',
      kind: 'Widget',
      causes: [{ reason: 'FieldValueInvalid', message: 'Invalid value: 2: must be odd', field: 'spec.size' }],
    },
    code: 422,
  });
  const shape = await server.admin.post(widgets, { ...widget('BadName'), spec: { size: 'big' } });
  assert.deepEqual(
    shape.status().details?.causes?.map(({ field }) => field),
    ['metadata.name', 'spec.size'],
  );
});

test('2.4 fieldValidation: Strict refuses, Warn warns, Ignore drops', async () => {
  const body = '{"metadata":{"name":"fv"},"spec":{"size":1,"size":3,"colour":"blue"}}';
  const strict = await server.admin.post(`${widgets}?fieldValidation=Strict`, body);
  assert.equal(strict.code, 400);
  assert.equal(strict.status().message, 'strict decoding error: duplicate field "spec.size", unknown field "spec.colour"');
  const warn = await server.admin.post(`${widgets}?dryRun=All`, body);
  assert.equal(warn.code, 201);
  assert.equal(warn.headers['warning'], String.raw`299 - "duplicate field \"spec.size\"", 299 - "unknown field \"spec.colour\""`);
  assert.deepEqual(warn.object()['spec'], { size: 3, color: 'red' });
  const ignore = await server.admin.post(`${widgets}?dryRun=All&fieldValidation=Ignore`, body);
  assert.equal(ignore.code, 201);
  assert.equal(ignore.headers['warning'], undefined);
  const wrong = await server.admin.post(`${widgets}?fieldValidation=Maybe`, body);
  assert.equal(wrong.code, 422);
  assert.equal(wrong.status().details?.kind, 'CreateOptions');
});

test('4.5 warnings of the strategy are sent as headers', async () => {
  const answer = await server.admin.post(`${widgets}?dryRun=All`, widget('large', { size: 2_001 }));
  assert.equal(answer.headers['warning'], String.raw`299 - "spec.size is \"very\" large"`);
});

test('2.4 dryRun does everything but store', async () => {
  const answer = await server.admin.post(`${widgets}?dryRun=All`, widget('dry'));
  assert.equal(answer.code, 201);
  assert.notEqual(answer.object().metadata.uid, undefined);
  assert.equal((await server.admin.get(`${widgets}/dry`)).code, 404);
  assert.equal((await server.admin.post(`${widgets}?dryRun=All`, widget('created'))).code, 409);
  assert.equal((await server.admin.post(`${widgets}?dryRun=Some`, widget('dry'))).code, 422);
});

test('2.3 bodies that cannot be decoded', async () => {
  const json = await server.admin.post(widgets, '{"spec":');
  assert.equal(json.code, 400);
  assert.match(
    json.status().message ?? '',
    /^the object provided is unrecognized \(must be of type Widget\): invalid JSON at line 1, column \d+: .* \(\{"spec":\)$/,
  );
  assert.equal((await server.admin.post(widgets, '[1]')).code, 400);
  assert.equal((await server.admin.post(widgets, '')).code, 400);
  const metadata = await server.admin.post(widgets, { metadata: { name: 'x', labels: { a: 1 } }, spec: { size: 1 } });
  assert.equal(metadata.code, 400);
  assert.match(metadata.status().message ?? '', /^Widget in version "v1" cannot be handled as a Widget: metadata\.labels\.a: /);
  const type = await server.admin.post(widgets, 'x', { 'content-type': 'text/plain' });
  assert.equal(type.code, 415);
  assert.equal(
    type.status().message,
    'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
  );
});

test('4.1 YAML bodies', async () => {
  const body = 'metadata:\n  name: from-yaml\nspec:\n  size: 5\n  color: "yes"\n';
  const answer = await server.admin.post(widgets, body, { 'content-type': 'application/yaml; charset=utf-8' });
  assert.equal(answer.code, 201);
  assert.deepEqual(answer.object()['spec'], { size: 5, color: 'yes' });
});

test('2.3 bodies above 3 MiB are 413, announced or not', async () => {
  const body = Buffer.alloc(3 * 1024 * 1024 + 1, 0x20);
  const announced = await server.admin.post(widgets, body);
  assert.equal(announced.code, 413);
  assert.equal(announced.status().message, 'Request entity too large: limit is 3145728');
  const chunked = await server.admin.post(widgets, body, { 'transfer-encoding': 'chunked' });
  assert.equal(chunked.code, 413);
});

test('3.1 duplicate owner references are dropped with a warning', async () => {
  const owner = { apiVersion: 'v1', kind: 'Note', name: 'o', uid: 'u-1' };
  const answer = await server.admin.post(widgets, widget('owned', {}, { ownerReferences: [owner, owner] }));
  assert.equal(answer.code, 201);
  assert.deepEqual(answer.object().metadata.ownerReferences, [owner]);
  assert.match(String(answer.headers['warning']), /duplicate UID\(s\) observed: u-1/);
});

test('concurrent creates of one name: one wins', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => server.admin.post(widgets, widget('race'))));
  assert.deepEqual(answers.map(({ code }) => code).sort(), [201, 409, 409, 409, 409, 409, 409, 409]);
});

test('3.1 empty lists and maps in metadata are as good as absent', async () => {
  const empty = { labels: {}, annotations: {}, finalizers: [], ownerReferences: [] };
  const created = (await server.admin.post(widgets, widget('bare', {}, empty))).object();
  for (const name of Object.keys(empty)) assert.equal(Object.hasOwn(created.metadata, name), false, name);
  await server.admin.send('PATCH', `${widgets}/bare`, {
    body: { metadata: { labels: { a: 'b' }, finalizers: ['x.y/z'] } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  const patched = await server.admin.send('PATCH', `${widgets}/bare`, {
    body: { metadata: { labels: { a: null }, finalizers: [] } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  for (const name of Object.keys(empty)) assert.equal(Object.hasOwn(patched.object().metadata, name), false, name);
});

test('0.5 create, update, patch and delete answer as Table and PartialObjectMetadata, too', async () => {
  const forms = [
    ['application/json;as=Table;g=meta.k8s.io;v=v1', 'Table'],
    ['application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1', 'PartialObjectMetadata'],
  ] as const;
  for (const [accept, kind] of forms) {
    const path = `${widgets}/formed`;
    const headers = { accept };
    const write = (method: string, target: string, body: unknown, type = 'application/json') =>
      server.admin.send(method, target, { body, headers: { accept, 'content-type': type } });
    const stored = async () => (await server.admin.get(path)).object();
    assert.equal((await write('POST', widgets, widget('formed', {}, { finalizers: ['x.y/z'] }))).object().kind, kind);
    assert.equal((await write('PUT', path, { ...(await stored()), spec: { size: 3 } })).object().kind, kind);
    assert.equal((await write('PATCH', path, { spec: { size: 5 } }, 'application/merge-patch+json')).object().kind, kind);
    assert.equal((await server.admin.send('DELETE', path, { headers })).object().kind, kind, 'held by its finalizer');
    assert.equal((await write('PATCH', path, { metadata: { finalizers: [] } }, 'application/merge-patch+json')).object().kind, kind);
    assert.equal((await server.admin.get(path)).code, 404);
  }
});
