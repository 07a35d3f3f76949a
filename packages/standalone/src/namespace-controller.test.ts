import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { statusError } from '@arc/apimachinery';
import { namespaces } from '@arc/api/core';
import type { Namespace } from '@arc/api/core';
import { startControllers } from '@arc/controller';
import { FakeClock } from '@arc/kernel';
import { createFakeClient } from '@arc/kube-client/fake';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standaloneControllers } from './standalone-controllers.ts';

const parts: ResourceType = { group: 'demo.example.com', version: 'v1', plural: 'parts', kind: 'Part', namespaced: true };
const secrets: ResourceType = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true };

async function setUp() {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const controllers = standaloneControllers({ client, types: [parts, secrets, namespaces], clock });
  const running = startControllers(controllers, { clock });
  await running.ready;
  for (const name of ['ns', 'other']) await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return { clock, client, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

function part(name: string, extra: { namespace?: string; finalizers?: string[] } = {}): KubeObject {
  return { apiVersion: 'demo.example.com/v1', kind: 'Part', metadata: { namespace: 'ns', name, ...extra } };
}

test('a deleted namespace goes with all it holds, and with nothing else', async () => {
  await using scenario = await setUp();
  const { client, clock } = scenario;
  for (const name of ['a', 'b', 'c']) await client.create(parts, part(name));
  await client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'ns', name: 's' } });
  await client.create(parts, part('a', { namespace: 'other' }));
  await clock.advance(1000);
  await client.delete(namespaces, { name: 'ns' });
  await clock.advance(1000);
  assert.equal(client.peek(namespaces, { name: 'ns' }), undefined);
  assert.deepEqual([client.peekAll(parts, 'ns'), client.peekAll(secrets)], [[], []]);
  assert.deepEqual([client.peekAll(parts, 'other').length, client.peekAll(namespaces).length], [1, 1]);
});

test('while finalizers hold its content it says so, and goes by the event that frees it', async () => {
  await using scenario = await setUp();
  const { client, clock } = scenario;
  await client.create(parts, part('a', { finalizers: ['demo/hold'] }));
  await client.create(parts, part('b'));
  await client.delete(namespaces, { name: 'ns' });
  await clock.advance(1000);
  const waiting = client.peek<Namespace>(namespaces, { name: 'ns' });
  assert.equal(waiting?.status?.phase, 'Terminating');
  assert.deepEqual(
    waiting?.status?.conditions?.map(({ type, status, message }) => [type, status, message]),
    [
      ['NamespaceDeletionContentFailure', 'False', 'All content successfully deleted, may be waiting on finalization'],
      ['NamespaceContentRemaining', 'True', 'Some resources are remaining: parts.demo.example.com has 1 resource instances'],
      ['NamespaceFinalizersRemaining', 'True', 'Some content in the namespace has finalizers remaining: demo/hold in 1 resource instances'],
    ],
  );
  const writes = client.requests.filter(({ verb }) => verb === 'patch').length;
  await clock.advance(60_000);
  assert.equal(client.requests.filter(({ verb }) => verb === 'patch').length, writes, 'the status is written only when it changes');
  await client.patch(parts, { namespace: 'ns', name: 'a' }, { metadata: { finalizers: [] } });
  await clock.advance(100);
  assert.equal(client.peek(namespaces, { name: 'ns' }), undefined);
});

test('a resource that cannot be emptied is named, and tried again', async () => {
  await using scenario = await setUp();
  const { client, clock } = scenario;
  await client.create(parts, part('a'));
  await clock.advance(1000);
  const refuse = client.onRequest(({ verb }) => {
    if (verb === 'deletecollection') throw statusError.internal('no disk');
  });
  await client.delete(namespaces, { name: 'ns' });
  await clock.advance(1000);
  const failure = client.peek<Namespace>(namespaces, { name: 'ns' })?.status?.conditions?.[0];
  assert.deepEqual([failure?.type, failure?.status], ['NamespaceDeletionContentFailure', 'True']);
  assert.match(failure?.message ?? '', /1 remaining: .*no disk/);
  refuse[Symbol.dispose]();
  await clock.advance(60_000);
  assert.equal(client.peek(namespaces, { name: 'ns' }), undefined);
});

test('it finishes what was begun before it was started', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns' } });
  await client.create(parts, part('a'));
  await client.delete(namespaces, { name: 'ns' });
  await using running = startControllers(standaloneControllers({ client, types: [parts], clock }), { clock });
  await running.ready;
  await clock.advance(1000);
  assert.deepEqual([client.peekAll(parts), client.peekAll(namespaces)], [[], []]);
});
