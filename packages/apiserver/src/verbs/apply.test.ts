import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { UnstructuredObject } from '@arc/apimachinery';
import { FakeClock } from '@arc/kernel';
import * as pki from '@arc/pki';
import { widget } from '../testing/kinds.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
const notes = '/api/v1/namespaces/ns/notes';
const memos = '/apis/memo.example.com/v1/namespaces/ns/memos';
let server: TestServer;

before(async () => {
  server = await startTestServer(pki, {
    authorizer: {
      authorize: ({ verb, namespace, resource }, user) => ({
        decision: user.name === 'patcher' && verb === 'patch' && resource === 'widgets' && namespace === 'ns' ? 'allow' : 'noOpinion',
        reason: '',
      }),
    },
  });
});
after(() => server[Symbol.asyncDispose]());

function apply(path: string, body: unknown, query = 'fieldManager=m', client = server.admin) {
  return client.send('PATCH', `${path}?${query}`, { body, headers: { 'content-type': 'application/apply-patch+yaml' } });
}

const sets = ({ metadata }: UnstructuredObject): unknown =>
  Object.fromEntries((metadata.managedFields ?? []).map(({ manager, operation, fieldsV1 }) => [`${manager} ${operation}`, fieldsV1]));

test('5.1 an apply creates what is missing, from YAML or JSON', async () => {
  const yaml = 'apiVersion: demo.example.com/v1\nkind: Widget\nmetadata:\n  name: born\nspec:\n  size: 3\n';
  const answer = await apply(`${widgets}/born`, yaml);
  assert.equal(answer.code, 201, answer.text);
  const object = answer.object();
  assert.deepEqual(object['spec'], { size: 3, color: 'red' });
  assert.equal(object.metadata.generation, 1);
  assert.deepEqual(sets(object), { 'm Apply': { 'f:spec': { 'f:size': {} } } });
  assert.deepEqual((await server.admin.get(`${widgets}/born`)).object(), object);
  const again = await apply(`${widgets}/born`, widget('born', { size: 3 }));
  assert.equal(again.code, 200);
  assert.deepEqual(again.object(), object, 'applying again writes nothing');
});

test('5.1 creating by apply needs the right to create', async () => {
  const patcher = server.as('patcher');
  const refused = await apply(`${widgets}/mine`, widget('mine'), 'fieldManager=m', patcher);
  assert.equal(refused.code, 403);
  assert.match(refused.status().message ?? '', /User "patcher" cannot create resource "widgets"/);
  await server.admin.post(widgets, widget('mine'));
  assert.equal((await apply(`${widgets}/mine`, widget('mine', { color: 'blue' }), 'fieldManager=m&force=true', patcher)).code, 200);
});

test('5.2 what is no longer applied goes, defaults come back', async () => {
  await apply(
    `${widgets}/shrink`,
    widget('shrink', { size: 1, color: 'blue', parts: [{ name: 'a' }, { name: 'b' }] }, { labels: { x: 'y' } }),
  );
  const answer = await apply(`${widgets}/shrink`, widget('shrink', { parts: [{ name: 'b' }] }));
  assert.equal(answer.code, 200, answer.text);
  const shrunk = answer.object();
  assert.deepEqual(shrunk['spec'], { size: 1, color: 'red', parts: [{ name: 'b' }] });
  assert.equal(shrunk.metadata.labels, undefined);
  assert.equal(shrunk.metadata.generation, 2);
});

test('5.3 conflicts, force, and sharing', async () => {
  await apply(`${widgets}/fight`, widget('fight', { size: 1 }), 'fieldManager=one');
  const refused = await apply(`${widgets}/fight`, widget('fight', { size: 3 }), 'fieldManager=two');
  assert.equal(refused.code, 409);
  assert.deepEqual(refused.status(), {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'Apply failed with 1 conflict: conflict with "one": .spec.size',
    reason: 'Conflict',
    details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.size' }] },
    code: 409,
  });
  const same = await apply(`${widgets}/fight`, widget('fight', { size: 1 }), 'fieldManager=two&force=false');
  assert.deepEqual(Object.keys(sets(same.object()) as object), ['one Apply', 'two Apply']);
  const forced = await apply(`${widgets}/fight`, widget('fight', { size: 5 }), 'fieldManager=two&force=true');
  assert.equal(forced.code, 200);
  assert.deepEqual(sets(forced.object()), { 'two Apply': { 'f:spec': { 'f:size': {} } } });
});

test('5.1 dryRun stores nothing', async () => {
  const created = await apply(`${widgets}/dry`, widget('dry'), 'fieldManager=m&dryRun=All');
  assert.equal(created.code, 201);
  assert.equal((await server.admin.get(`${widgets}/dry`)).code, 404);
  const first = (await apply(`${widgets}/dry`, widget('dry'))).object();
  const changed = await apply(`${widgets}/dry`, widget('dry', { size: 7 }), 'fieldManager=m&dryRun=All');
  assert.deepEqual(changed.object()['spec'], { size: 7, color: 'red' });
  assert.deepEqual((await server.admin.get(`${widgets}/dry`)).object(), first);
});

test('5.1 what an apply must say', async () => {
  const cases: [query: string, body: unknown, code: number, message: RegExp][] = [
    ['', widget('bad'), 422, /^PatchOptions\.meta\.k8s\.io "" is invalid: fieldManager: Required value: is required for apply patch$/],
    ['fieldManager=m&dryRun=some', widget('bad'), 422, /dryRun/],
    ['fieldManager=m', { ...widget('bad'), apiVersion: undefined }, 400, /invalid object type/],
    ['fieldManager=m', { ...widget('bad'), kind: '' }, 400, /invalid object type/],
    [
      'fieldManager=m',
      { ...widget('bad'), apiVersion: 'demo.example.com/v2' },
      400,
      /^Incorrect version specified in apply patch\. Specified patch version: demo\.example\.com\/v2, expected: demo\.example\.com\/v1$/,
    ],
    ['fieldManager=m', { ...widget('bad'), kind: 'Gadget' }, 400, /kind/],
    ['fieldManager=m', widget('other'), 400, /^the name of the object \(other\) does not match the name on the URL \(bad\)$/],
    ['fieldManager=m', widget('bad', {}, { namespace: 'elsewhere' }), 400, /namespace/],
    ['fieldManager=m', widget('bad', {}, { managedFields: [] }), 400, /^metadata\.managedFields must be nil$/],
    ['fieldManager=m', 'a: [', 400, /^error decoding YAML: /],
    ['fieldManager=m', '[]', 400, /^error decoding YAML: /],
    ['fieldManager=m', { ...widget('bad'), metadata: 'x' }, 400, /metadata/],
    ['fieldManager=m', widget('bad', {}, { uid: 'u' }), 409, /UID in precondition: u/],
    ['fieldManager=m', widget('bad', {}, { resourceVersion: '7' }), 409, /object has been modified/],
    ['fieldManager=m', widget('bad', { size: 2 }), 422, /spec\.size: Invalid value: 2: must be odd/],
    [
      'fieldManager=m&fieldValidation=Strict',
      '{"apiVersion":"demo.example.com/v1","apiVersion":"demo.example.com/v1","kind":"Widget"}',
      400,
      /^error strict decoding YAML: duplicate field "apiVersion"$/,
    ],
    [
      'fieldManager=m',
      { ...widget('bad'), spec: { colour: 'x', size: 1 } },
      500,
      /^failed to create typed patch object \(ns\/bad; demo\.example\.com\/v1, Kind=Widget\): \.spec\.colour: field not declared in schema$/,
    ],
  ];
  for (const [query, body, code, message] of cases) {
    const answer = await apply(`${widgets}/bad`, body, query);
    assert.equal(answer.code, code, answer.text);
    assert.match(answer.status().message ?? '', message);
  }
  assert.equal((await server.admin.get(`${widgets}/bad`)).code, 404);
});

test('2.6 a resourceVersion or uid in an applied configuration is a precondition', async () => {
  const first = (await apply(`${widgets}/pre`, widget('pre'))).object();
  const { resourceVersion = '', uid = '' } = first.metadata;
  assert.equal((await apply(`${widgets}/pre`, widget('pre', { size: 3 }, { resourceVersion, uid }))).code, 200);
  assert.equal((await apply(`${widgets}/pre`, widget('pre', { size: 5 }, { resourceVersion }))).code, 409);
  assert.equal((await apply(`${widgets}/pre`, widget('pre', { size: 5 }, { uid: 'other' }))).code, 409);
});

test('2.8 the status subresource is applied and owned apart', async () => {
  await apply(`${widgets}/st`, { ...widget('st', { size: 3 }), status: { ready: true } });
  const missing = await apply(`${widgets}/none/status`, { ...widget('none'), status: {} });
  assert.equal(missing.code, 404);
  const answer = await apply(`${widgets}/st/status`, { ...widget('st', { size: 9 }), status: { ready: true } }, 'fieldManager=c');
  assert.equal(answer.code, 200, answer.text);
  const object = answer.object();
  assert.deepEqual(object['spec'], { size: 3, color: 'red' });
  assert.deepEqual(object['status'], { ready: true });
  assert.deepEqual(sets(object), { 'm Apply': { 'f:spec': { 'f:size': {} } }, 'c Apply': { 'f:status': { 'f:ready': {} } } });
  assert.equal(object.metadata.managedFields?.find(({ manager }) => manager === 'c')?.subresource, 'status');
  const cleared = await apply(`${widgets}/st/status`, { ...widget('st'), spec: undefined }, 'fieldManager=c');
  assert.equal(cleared.code, 200, cleared.text);
  assert.equal(cleared.object()['status'], undefined);
});

test('2.6 racing applies of different managers all arrive', async () => {
  const racing = Array.from({ length: 12 }, (_, at) =>
    apply(`${widgets}/race`, widget('race', { parts: [{ name: `p${at}`, count: at }] }), `fieldManager=m${at}`),
  );
  const codes = (await Promise.all(racing)).map(({ code }) => code).sort();
  assert.deepEqual(codes, [...Array.from({ length: 11 }, () => 200), 201]);
  const object = (await server.admin.get(`${widgets}/race`)).object();
  assert.equal((object['spec'] as { parts: unknown[] }).parts.length, 12);
  assert.equal(object.metadata.managedFields?.length, 12);
});

test('5.4 managedFields are rewritten by a JSON patch under the optimistic lock', async () => {
  await server.admin.post(`${widgets}?fieldManager=kubectl-client-side-apply`, widget('migrate', { size: 3 }));
  const applied = (await apply(`${widgets}/migrate`, widget('migrate', { size: 3 }), 'fieldManager=kubectl')).object();
  assert.deepEqual(Object.keys(sets(applied) as object), ['kubectl Apply', 'kubectl-client-side-apply Update']);
  const own = applied.metadata.managedFields?.filter(({ manager }) => manager === 'kubectl');
  const patch = (resourceVersion: string | undefined) =>
    server.admin.send('PATCH', `${widgets}/migrate?fieldManager=kubectl`, {
      body: [
        { op: 'replace', path: '/metadata/managedFields', value: own },
        { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
      ],
      headers: { 'content-type': 'application/json-patch+json' },
    });
  assert.equal((await patch('1')).code, 409);
  const migrated = await patch(applied.metadata.resourceVersion);
  assert.equal(migrated.code, 200, migrated.text);
  assert.deepEqual(Object.keys(sets(migrated.object()) as object), ['kubectl Apply']);
});

test('5.2 core kinds: lists with a merge key are keyed, absent and null are the same', async () => {
  const note = (data: unknown, tags: unknown) => ({ apiVersion: 'v1', kind: 'Note', metadata: { name: 'n' }, data, tags });
  await apply(`${notes}/n`, note({ a: '1' }, [{ name: 'x', value: '1' }]), 'fieldManager=one');
  const both = await apply(`${notes}/n`, note(undefined, [{ name: 'y', value: '2' }]), 'fieldManager=two');
  assert.equal(both.code, 200, both.text);
  assert.deepEqual(both.object()['tags'], [
    { name: 'x', value: '1' },
    { name: 'y', value: '2' },
  ]);
  const left = (await apply(`${notes}/n`, note(null, []), 'fieldManager=one')).object();
  assert.deepEqual(left['tags'], [{ name: 'y', value: '2' }]);
  assert.deepEqual(left['data'], {}, 'explicitly null is owned, and empty');
});

test('5.2 an object served in two versions has one set of managers', async () => {
  const memo = (content: unknown) => ({ apiVersion: 'memo.example.com/v1', kind: 'Memo', metadata: { name: 'two' }, content });
  await apply(`${notes}/two`, { apiVersion: 'v1', kind: 'Note', metadata: { name: 'two' }, data: { a: '1' } }, 'fieldManager=one');
  const refused = await apply(`${memos}/two`, memo({ a: '2' }), 'fieldManager=two');
  assert.equal(refused.code, 409, refused.text);
  const added = await apply(`${memos}/two`, memo({ b: '2' }), 'fieldManager=two');
  assert.equal(added.code, 200, added.text);
  assert.deepEqual(sets(added.object()), {
    'one Apply': { 'f:data': { 'f:a': {} } },
    'two Apply': { 'f:content': { 'f:b': {} } },
  });
  const gone = await apply(`${notes}/two`, { apiVersion: 'v1', kind: 'Note', metadata: { name: 'two' } }, 'fieldManager=one');
  assert.deepEqual(gone.object()['data'], { b: '2' });
});

test('3.4 times have whole seconds of the server and move with the writes of their manager', async () => {
  const clock = new FakeClock(Date.now());
  await using timed = await startTestServer(pki, { clock });
  const first = (await apply(`${widgets}/t`, widget('t'), 'fieldManager=a', timed.admin)).object();
  await clock.advance(5_000);
  const answer = await apply(`${widgets}/t`, widget('t', { parts: [{ name: 'p' }], size: 1 }), 'fieldManager=b', timed.admin);
  assert.equal(answer.code, 200, answer.text);
  const later = answer.object();
  const times = Object.fromEntries((later.metadata.managedFields ?? []).map(({ manager, time }) => [manager, time]));
  assert.equal(times['a'], first.metadata.creationTimestamp);
  assert.match(times['b'] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.notEqual(times['a'], times['b']);
});
