import type { KubeObject, ResourceType, WatchEvent } from '@arc/apimachinery';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeClient } from './index.ts';

const widgets: ResourceType = { group: 'demo.example.com', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true };
const namespaces: ResourceType = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };

interface Widget extends KubeObject {
  spec?: { size: number };
  status?: { ready: boolean };
}

function widget(name: string, extra: Partial<Widget> & { labels?: Record<string, string>; finalizers?: string[] } = {}): Widget {
  const { labels, finalizers, ...rest } = extra;
  const metadata = { namespace: 'ns', name, ...(labels !== undefined && { labels }), ...(finalizers !== undefined && { finalizers }) };
  return { apiVersion: 'demo.example.com/v1', kind: 'Widget', metadata, ...rest };
}

const w1 = { namespace: 'ns', name: 'w1' };

test('create, update and status follow the generation and locking rules', async () => {
  const client = createFakeClient();
  const created = await client.create(widgets, widget('w1', { spec: { size: 1 }, status: { ready: true } }));
  assert.equal(created.metadata.generation, 1);
  assert.equal(created.status, undefined, 'status is not writable through the main resource');
  await assert.rejects(client.create(widgets, widget('w1')), { code: 'AlreadyExists' });

  const updated = await client.update(widgets, { ...created, spec: { size: 2 } });
  assert.equal(updated.metadata.generation, 2);
  await assert.rejects(client.update(widgets, { ...created, spec: { size: 3 } }), { code: 'Conflict' });
  const again = await client.update(widgets, updated);
  assert.equal(again.metadata.resourceVersion, updated.metadata.resourceVersion, 'an update that changes nothing commits nothing');

  const withStatus = await client.updateStatus(widgets, { ...updated, spec: { size: 9 }, status: { ready: true } });
  assert.deepEqual([withStatus.spec, withStatus.status, withStatus.metadata.generation], [{ size: 2 }, { ready: true }, 2]);
  const { resourceVersion: _none, ...unlocked } = withStatus.metadata;
  await assert.rejects(client.update(widgets, { ...withStatus, metadata: unlocked }), { code: 'Invalid' });
});

test('patches merge or apply operations, and lock only when they carry a resourceVersion', async () => {
  const client = createFakeClient({ objects: [[widgets, widget('w1', { spec: { size: 1 }, labels: { a: 'b', c: 'd' } })]] });
  const merged = await client.patch<Widget>(widgets, w1, { metadata: { labels: { a: null } }, spec: { size: 2 } });
  assert.deepEqual([merged.metadata.labels, merged.spec], [{ c: 'd' }, { size: 2 }]);
  const operations = [
    { op: 'test', path: '/spec/size', value: 2 },
    { op: 'replace', path: '/spec/size', value: 3 },
  ];
  const patched = await client.patch<Widget>(widgets, w1, operations, { patchType: 'json' });
  assert.equal(patched.spec?.size, 3);
  await assert.rejects(client.patch(widgets, w1, operations, { patchType: 'json' }), { code: 'Invalid' });
  await assert.rejects(client.patch(widgets, w1, { metadata: { resourceVersion: '1' }, spec: { size: 1 } }), { code: 'Conflict' });
});

test('finalizers hold a deleted object until the last is removed', async () => {
  const client = createFakeClient();
  const created = await client.create(widgets, widget('w1', { finalizers: ['demo/hold'] }));
  await assert.rejects(client.delete(widgets, w1, { preconditions: { uid: 'other' } }), { code: 'Conflict' });
  await client.delete(widgets, w1, { preconditions: { uid: created.metadata.uid ?? '' } });
  const held = await client.get(widgets, w1);
  assert.notEqual(held.metadata.deletionTimestamp, undefined);
  assert.equal(held.metadata.generation, 2);
  await assert.rejects(client.patch(widgets, w1, { metadata: { finalizers: ['demo/hold', 'demo/new'] } }), { code: 'Invalid' });
  await client.patch(widgets, w1, { metadata: { finalizers: null } });
  await assert.rejects(client.get(widgets, w1), { code: 'NotFound' });
});

test('a deleted namespace terminates, refuses new content and goes with finalize', async () => {
  const client = createFakeClient();
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns' } });
  await client.delete(namespaces, { name: 'ns' });
  const terminating = await client.get(namespaces, { name: 'ns' });
  assert.deepEqual(terminating['status'], { phase: 'Terminating' });
  await assert.rejects(client.create(widgets, widget('w1')), { code: 'Forbidden' });
  const body = JSON.stringify({ ...terminating, spec: { finalizers: [] } });
  await client.raw({ method: 'PUT', path: '/api/v1/namespaces/ns/finalize', body });
  assert.equal(client.peek(namespaces, { name: 'ns' }), undefined);
});

test('lists page through one snapshot and select', async () => {
  const client = createFakeClient();
  for (const [name, color] of [
    ['a', 'red'],
    ['b', 'blue'],
    ['c', 'red'],
  ] as const) {
    await client.create(widgets, widget(name, { labels: { color } }));
  }
  const first = await client.list(widgets, { limit: 2 });
  await client.delete(widgets, { namespace: 'ns', name: 'c' });
  const second = await client.list(widgets, { limit: 2, continue: first.metadata.continue ?? '' });
  assert.deepEqual([...first.items, ...second.items].map(nameOf), ['a', 'b', 'c']);
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  for (const [labelSelector, names] of [
    ['color=red', ['a']],
    ['color!=red', ['b']],
    ['color in (red, blue)', ['a', 'b']],
    ['color notin (red)', ['b']],
    ['color', ['a', 'b']],
    ['!color', []],
  ] as const) {
    assert.deepEqual((await client.list(widgets, { labelSelector })).items.map(nameOf), names, labelSelector);
  }
  assert.deepEqual((await client.list(widgets, { fieldSelector: 'metadata.name=b' })).items.map(nameOf), ['b']);
  client.compact();
  await client.create(widgets, widget('d'));
  client.compact();
  await assert.rejects(client.list(widgets, { continue: first.metadata.continue ?? '' }), { code: 'Expired' });
});

test('a watch resumes from its revision, reports selector transitions and expires', async () => {
  const client = createFakeClient();
  const created = await client.create(widgets, widget('w1', { labels: { color: 'red' } }));
  const start = created.metadata.resourceVersion ?? '';
  await client.patch(widgets, w1, { spec: { size: 1 } });
  await client.patch(widgets, w1, { metadata: { labels: { color: 'blue' } } });
  await client.delete(widgets, w1);
  const all = await take(client.watch(widgets, { resourceVersion: start }), 3);
  assert.deepEqual(all.map(eventText), ['MODIFIED w1 3', 'MODIFIED w1 4', 'DELETED w1 5']);
  const red = await take(client.watch(widgets, { resourceVersion: start, labelSelector: 'color=red' }), 2);
  assert.deepEqual(red.map(eventText), ['MODIFIED w1 3', 'DELETED w1 4']);
  assert.equal(red[1]?.object.metadata.labels?.['color'], 'red', 'the object that left is shown as it was');
  client.compact();
  await assert.rejects(take(client.watch(widgets, { resourceVersion: start }), 1), { code: 'Expired' });
});

async function take<T>(events: AsyncIterable<WatchEvent<T>>, count: number): Promise<WatchEvent<T>[]> {
  const taken: WatchEvent<T>[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

function nameOf(object: KubeObject): string | undefined {
  return object.metadata.name;
}

function eventText({ type, object }: WatchEvent<KubeObject>): string {
  return `${type} ${object.metadata.name} ${object.metadata.resourceVersion}`;
}
