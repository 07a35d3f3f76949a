import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { UnstructuredObject } from '@arc/apimachinery';
import * as pki from '@arc/pki';
import { widget } from '../testing/kinds.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
let server: TestServer;

before(async () => {
  server = await startTestServer(pki);
});
after(() => server[Symbol.asyncDispose]());

async function created(name: string, finalizers: string[] = []): Promise<UnstructuredObject> {
  return (await server.admin.post(widgets, widget(name, {}, { finalizers }))).object();
}

function remove(path: string, body?: unknown) {
  return server.admin.send('DELETE', path, { body });
}

test('2.2 what is gone is answered with a Status naming the plural', async () => {
  const { metadata } = await created('gone');
  const answer = await remove(`${widgets}/gone`, { propagationPolicy: 'Background' });
  assert.equal(answer.code, 200);
  assert.deepEqual(answer.object(), {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'gone', group: 'demo.example.com', kind: 'widgets', uid: metadata.uid },
  });
  assert.equal((await remove(`${widgets}/gone`)).code, 404);
});

test('3.2 finalizers hold an object until the last one is removed', async () => {
  await created('held', ['example.com/a']);
  const held = await remove(`${widgets}/held`);
  assert.equal(held.code, 200);
  const { metadata } = held.object();
  assert.match(metadata.deletionTimestamp ?? '', /Z$/);
  assert.equal(metadata.deletionGracePeriodSeconds, 0);
  assert.equal(metadata.generation, 2);
  const again = (await remove(`${widgets}/held`)).object();
  assert.equal(again.metadata.resourceVersion, metadata.resourceVersion);
  const added = { ...held.object(), metadata: { ...metadata, finalizers: ['example.com/a', 'example.com/b'] } };
  const refused = await server.admin.send('PUT', `${widgets}/held`, { body: added });
  assert.equal(refused.code, 422);
  assert.match(refused.status().message ?? '', /no new finalizers can be added if the object is being deleted/);
  const released = await server.admin.send('PUT', `${widgets}/held`, {
    body: { ...held.object(), metadata: { ...metadata, finalizers: [] } },
  });
  assert.equal(released.code, 200);
  assert.equal((await server.admin.get(`${widgets}/held`)).code, 404);
});

test('2.2 an object that is held is answered with 202 where that was asked for as clients of old do', async () => {
  await created('accepted', ['example.com/a']);
  assert.equal((await remove(`${widgets}/accepted`, { orphanDependents: false })).code, 202);
  assert.equal((await remove(`${widgets}/accepted?orphanDependents=0`)).code, 202);
  assert.equal((await remove(`${widgets}/accepted`, { propagationPolicy: 'Background' })).code, 200);
  await created('at-once');
  assert.equal((await remove(`${widgets}/at-once`, { orphanDependents: false })).code, 200);
});

test('3.2 propagation policies become finalizers', async () => {
  await created('fg');
  assert.deepEqual((await remove(`${widgets}/fg?propagationPolicy=Foreground`)).object().metadata.finalizers, ['foregroundDeletion']);
  assert.deepEqual((await remove(`${widgets}/fg`, { orphanDependents: true })).object().metadata.finalizers, ['orphan']);
  assert.equal((await remove(`${widgets}/fg`, { propagationPolicy: 'Background' })).object().kind, 'Status');
  await created('both');
  const both = await remove(`${widgets}/both`, { propagationPolicy: 'Orphan', orphanDependents: true });
  assert.equal(both.code, 422);
  assert.equal((await remove(`${widgets}/both`, { propagationPolicy: 'Sideways' })).code, 422);
});

test('2.3 preconditions', async () => {
  const { metadata } = await created('pre');
  const uid = await remove(`${widgets}/pre`, { preconditions: { uid: 'other' } });
  assert.equal(uid.code, 409);
  assert.equal(
    uid.status().message,
    `Operation cannot be fulfilled on widgets.demo.example.com "pre": the UID in the precondition (other) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
  );
  assert.equal((await remove(`${widgets}/pre`, { preconditions: { resourceVersion: '1' } })).code, 409);
  const { uid: right, resourceVersion } = metadata;
  assert.equal((await remove(`${widgets}/pre`, { preconditions: { uid: right, resourceVersion } })).code, 200);
});

test('2.4 DeleteOptions come in several versions, dryRun deletes nothing', async () => {
  await created('opts');
  for (const apiVersion of ['v1', 'meta.k8s.io/v1', 'demo.example.com/v1']) {
    const answer = await remove(`${widgets}/opts`, { kind: 'DeleteOptions', apiVersion, dryRun: ['All'] });
    assert.equal(answer.code, 200, apiVersion);
  }
  assert.equal((await remove(`${widgets}/opts`, { kind: 'DeleteOptions', apiVersion: 'apps/v1' })).code, 400);
  assert.equal((await remove(`${widgets}/opts`, '{')).code, 400);
  assert.equal((await remove(`${widgets}/opts?dryRun=All`)).code, 200);
  assert.equal((await server.admin.get(`${widgets}/opts`)).code, 200);
});

test('3.2 deletecollection honours selectors and answers the list', async () => {
  await server.admin.post(widgets, widget('dc1', { color: 'green' }, { labels: { dc: 'yes' } }));
  await server.admin.post(widgets, widget('dc2', {}, { labels: { dc: 'yes' }, finalizers: ['example.com/hold'] }));
  await server.admin.post(widgets, widget('dc3', {}, { labels: { dc: 'no' } }));
  const answer = await remove(`${widgets}?labelSelector=dc%3Dyes`);
  assert.equal(answer.code, 200);
  assert.equal(answer.object().kind, 'WidgetList');
  assert.deepEqual(
    (answer.object()['items'] as UnstructuredObject[]).map(({ metadata }) => metadata.name),
    ['dc1', 'dc2'],
  );
  assert.equal((await server.admin.get(`${widgets}/dc1`)).code, 404);
  assert.notEqual((await server.admin.get(`${widgets}/dc2`)).object().metadata.deletionTimestamp, undefined);
  assert.equal((await server.admin.get(`${widgets}/dc3`)).code, 200);
});
