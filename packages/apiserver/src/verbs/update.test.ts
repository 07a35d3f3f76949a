import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { UnstructuredObject } from '@arc/apimachinery';
import * as pki from '@arc/pki';
import { widget } from '../testing/kinds.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
const notes = '/api/v1/namespaces/ns/notes';
let server: TestServer;

before(async () => {
  server = await startTestServer(pki);
});
after(() => server[Symbol.asyncDispose]());

async function created(name: string): Promise<UnstructuredObject> {
  return (await server.admin.post(widgets, widget(name))).object();
}

function put(path: string, body: unknown) {
  return server.admin.send('PUT', path, { body });
}

test('3.1 generation counts changes of the spec, resourceVersion every change', async () => {
  const first = await created('gen');
  const labelled = (await put(`${widgets}/gen`, { ...first, metadata: { ...first.metadata, labels: { a: 'b' } } })).object();
  assert.equal(labelled.metadata.generation, 1);
  assert.ok(Number(labelled.metadata.resourceVersion) > Number(first.metadata.resourceVersion));
  const grown = (
    await put(`${widgets}/gen`, { ...labelled, spec: { size: 3 }, metadata: { ...labelled.metadata, generation: 9 } })
  ).object();
  assert.equal(grown.metadata.generation, 2);
  assert.deepEqual(grown['spec'], { size: 3, color: 'red' });
});

test('2.6 a PUT that changes nothing writes nothing', async () => {
  const first = await created('noop');
  const { spec } = first;
  const again = await put(`${widgets}/noop`, { spec, kind: first.kind, apiVersion: first.apiVersion, metadata: first.metadata });
  assert.equal(again.code, 200);
  assert.equal(again.object().metadata.resourceVersion, first.metadata.resourceVersion);
});

test('2.3 PUT needs a resourceVersion, and the right one', async () => {
  const first = await created('lock');
  const without = await put(`${widgets}/lock`, widget('lock'));
  assert.equal(without.code, 422);
  assert.equal(
    without.status().message,
    'Widget.demo.example.com "lock" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
  );
  assert.equal((await put(`${widgets}/lock`, { ...first, spec: { size: 5 } })).code, 200);
  const stale = await put(`${widgets}/lock`, { ...first, spec: { size: 7 } });
  assert.equal(stale.code, 409);
  assert.equal(
    stale.status().message,
    'Operation cannot be fulfilled on widgets.demo.example.com "lock": the object has been modified; please apply your changes to the latest version and try again',
  );
  assert.deepEqual(stale.status().details, { name: 'lock', group: 'demo.example.com', kind: 'widgets' });
});

test('2.6 kinds that allow it are overwritten without a resourceVersion', async () => {
  await server.admin.post(notes, { metadata: { name: 'free' }, data: { a: '1' } });
  const answer = await put(`${notes}/free`, { metadata: { name: 'free' }, data: { b: '2' } });
  assert.equal(answer.code, 200);
  assert.deepEqual(answer.object()['data'], { b: '2' });
  assert.equal(answer.object().metadata.generation, undefined);
});

test('2.6 identity cannot change', async () => {
  const first = await created('same');
  const name = await put(`${widgets}/same`, { ...first, metadata: { ...first.metadata, name: 'other' } });
  assert.equal(name.status().message, 'the name of the object (other) does not match the name on the URL (same)');
  const uid = await put(`${widgets}/same`, { ...first, metadata: { ...first.metadata, uid: 'b' } });
  assert.equal(uid.code, 409);
  assert.equal(
    uid.status().message,
    `Operation cannot be fulfilled on widgets.demo.example.com "same": Precondition failed: UID in precondition: b, UID in object meta: ${first.metadata.uid}`,
  );
  const times = { creationTimestamp: '2001-01-01T00:00:00Z', deletionTimestamp: '2001-01-01T00:00:00Z' };
  const silently = await put(`${widgets}/same`, { ...first, metadata: { ...first.metadata, ...times } });
  assert.equal(silently.code, 200);
  assert.deepEqual(silently.object().metadata, first.metadata);
});

test('2.6 PUT of something missing is 404', async () => {
  const answer = await put(`${widgets}/missing`, widget('missing', {}, { resourceVersion: '1' }));
  assert.equal(answer.code, 404);
  assert.equal(answer.status().message, 'widgets.demo.example.com "missing" not found');
});

test('2.8 the main resource ignores status, the status subresource everything else', async () => {
  const first = await created('st');
  const main = (await put(`${widgets}/st`, { ...first, status: { ready: true } })).object();
  assert.equal(main['status'], undefined);
  const status = await put(`${widgets}/st/status`, {
    ...first,
    metadata: { ...first.metadata, labels: { ignored: 'yes' } },
    spec: { size: 9 },
    status: { ready: true },
  });
  assert.equal(status.code, 200);
  const after = status.object();
  assert.deepEqual(after['status'], { ready: true });
  assert.deepEqual(after['spec'], first['spec']);
  assert.equal(after.metadata.labels, undefined);
  assert.equal(after.metadata.generation, 1);
  const kept = (await put(`${widgets}/st`, { ...after, status: undefined, spec: { size: 3 } })).object();
  assert.deepEqual(kept['status'], { ready: true });
  assert.deepEqual((await server.admin.get(`${widgets}/st/status`)).object(), kept);
});

test('2.4 dryRun of an update stores nothing', async () => {
  const first = await created('dry');
  const answer = await put(`${widgets}/dry?dryRun=All`, { ...first, spec: { size: 11 } });
  assert.deepEqual(answer.object()['spec'], { size: 11, color: 'red' });
  assert.deepEqual((await server.admin.get(`${widgets}/dry`)).object(), first);
});

const entry = { manager: 'm', operation: 'Update', apiVersion: 'demo.example.com/v1', fieldsType: 'FieldsV1' };

test('3.4 every write says who owns what', async () => {
  const headers = { 'user-agent': 'some-tool/v1 (linux)' };
  const first = (await server.admin.post(widgets, widget('owned'), headers)).object();
  assert.deepEqual(first.metadata.managedFields, [
    {
      manager: 'some-tool',
      operation: 'Update',
      apiVersion: 'demo.example.com/v1',
      time: first.metadata.creationTimestamp,
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { '.': {}, 'f:color': {}, 'f:size': {} } },
    },
  ]);
  const grown = (await put(`${widgets}/owned?fieldManager=grower`, { ...first, spec: { size: 3 } })).object();
  const status = (await put(`${widgets}/owned/status?fieldManager=controller`, { ...grown, status: { ready: true } })).object();
  assert.deepEqual(
    status.metadata.managedFields?.map(({ manager, subresource, fieldsV1 }) => [manager, subresource, fieldsV1]),
    [
      ['controller', 'status', { 'f:status': { '.': {}, 'f:ready': {} } }],
      ['grower', undefined, { 'f:spec': { 'f:size': {} } }],
      ['some-tool', undefined, { 'f:spec': { '.': {}, 'f:color': {} } }],
    ].sort((a, b) => order(status, String(a[0])) - order(status, String(b[0]))),
  );
  assert.deepEqual((await server.admin.get(`${widgets}/owned`)).object(), status);
});

/** Entries of one second are sorted by name, others by time. */
function order({ metadata }: UnstructuredObject, manager: string): number {
  return (metadata.managedFields ?? []).findIndex((one) => one.manager === manager);
}

test('3.4 managedFields that clients send are the base when they are valid, else ignored', async () => {
  const first = await created('mf');
  const sent = (managedFields: unknown) => put(`${widgets}/mf`, { ...first, metadata: { ...first.metadata, managedFields } });
  const ignored = await sent([{ ...entry, operation: 'Other', fieldsV1: {} }]);
  assert.deepEqual(ignored.object(), first);
  const rewritten = await sent([{ ...entry, fieldsV1: { 'f:spec': { 'f:size': {} } } }]);
  assert.equal(rewritten.code, 200);
  assert.deepEqual(
    rewritten.object().metadata.managedFields?.map(({ manager }) => manager),
    ['m'],
  );
  assert.notEqual(rewritten.object().metadata.resourceVersion, first.metadata.resourceVersion);
});

test('3.4 sending [] ends tracking, and updates do not begin it again', async () => {
  const first = await created('reset');
  const reset = await put(`${widgets}/reset`, { ...first, metadata: { ...first.metadata, managedFields: [] } });
  assert.equal(reset.object().metadata.managedFields, undefined);
  const grown = await put(`${widgets}/reset`, { ...reset.object(), spec: { size: 3 } });
  assert.equal(grown.code, 200);
  assert.equal(grown.object().metadata.managedFields, undefined);
});

test('2.6 a client that knows nothing of managedFields neither loses nor changes them', async () => {
  const first = await created('unaware');
  const { managedFields: _, ...metadata } = first.metadata;
  assert.deepEqual((await put(`${widgets}/unaware`, { ...first, metadata })).object(), first);
});
