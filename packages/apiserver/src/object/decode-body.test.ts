import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as pki from '@arc/pki';
import { widget } from '../testing/kinds.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
const protobuf = { 'content-type': 'application/vnd.kubernetes.protobuf', accept: 'application/vnd.kubernetes.protobuf,application/json' };
let server: TestServer;

before(async () => {
  server = await startTestServer(pki);
});
after(() => server[Symbol.asyncDispose]());

/** A length-delimited protobuf field of less than 128 bytes. */
function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

function envelope(apiVersion: string, kind: string, message: Buffer): Buffer {
  const type = Buffer.concat([field(1, apiVersion), field(2, kind)]);
  return Buffer.concat([Buffer.from('k8s\0'), field(1, type), field(2, message)]);
}

test('4.4 protobuf bodies of core kinds are accepted, answers are JSON', async () => {
  const attributes = Buffer.concat([field(1, 'ns'), field(2, 'create'), field(3, 'demo.example.com'), field(5, 'widgets')]);
  const review = field(2, field(1, attributes));
  const answer = await server.as('jane').post(reviews, envelope('authorization.k8s.io/v1', 'SelfSubjectAccessReview', review), protobuf);
  assert.equal(answer.code, 201, answer.text);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.deepEqual(answer.object()['spec'], {
    resourceAttributes: { namespace: 'ns', verb: 'create', group: 'demo.example.com', resource: 'widgets' },
  });
  assert.deepEqual(answer.object()['status'], { allowed: false });
});

test('4.4 broken protobuf is 400, protobuf for other kinds 415', async () => {
  for (const body of ['k8s', 'k8s\0\u0001', '{}']) assert.equal((await server.admin.post(reviews, body, protobuf)).code, 400, body);
  const wrongKind = envelope('v1', 'Namespace', Buffer.alloc(0));
  assert.equal((await server.admin.post(reviews, wrongKind, protobuf)).code, 400);
  assert.equal((await server.admin.post(widgets, wrongKind, protobuf)).code, 415);
});

test('2.4 core kinds take null for absent, custom ones do not', async () => {
  const note = await server.admin.post('/api/v1/namespaces/ns/notes', { metadata: { name: 'nulls', labels: null }, data: null });
  assert.equal(note.code, 201);
  assert.deepEqual(Object.keys(note.object()), ['apiVersion', 'kind', 'metadata']);
  assert.equal((await server.admin.post(widgets, { metadata: { name: 'nulls' }, spec: { size: null } })).code, 422);
});

test('names that are dangerous in JavaScript are ordinary data', async () => {
  const body = '{"metadata":{"name":"proto","labels":{"constructor":"x"}},"data":{"__proto__":"y","toString":"z"}}';
  const answer = await server.admin.post('/api/v1/namespaces/ns/notes', body);
  assert.equal(answer.code, 201, answer.text);
  assert.match(answer.text, /"data":\{"__proto__":"y","toString":"z"\}/);
  assert.equal((await server.admin.get('/api/v1/namespaces/ns/notes?labelSelector=constructor%3Dx')).code, 200);
  const unknown = await server.admin.post(
    `${widgets}?fieldValidation=Strict`,
    '{"metadata":{"name":"p"},"spec":{"size":1,"__proto__":{}}}',
  );
  assert.equal(unknown.code, 400);
  assert.equal(unknown.status().message, 'strict decoding error: unknown field "spec.__proto__"');
});

test('4.5 warnings stay within what clients accept as headers', async () => {
  const unknown = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`unknown${at}`, 1]));
  const answer = await server.admin.post(`${widgets}?dryRun=All`, { ...widget('warned'), spec: { size: 1, ...unknown } });
  assert.equal(answer.code, 201);
  assert.ok(String(answer.headers['warning']).length < 10_000);
});

test('integers stay within int64; fractions are not integers', async () => {
  assert.equal((await server.admin.post(widgets, { metadata: { name: 'f' }, spec: { size: 1.5 } })).code, 422);
});
