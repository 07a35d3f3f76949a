import type { KubeObject, ResourceType, UnstructuredObject } from '@arc/apimachinery';
import { configMaps, coreKinds, namespaces, pods, secrets } from '@arc/api/core';
import { createApiServer } from '@arc/apiserver';
import { startControllers } from '@arc/controller';
import type { KubeClient } from '@arc/kube-client';
import { createInformer, createKubeClient, discover, findResource } from '@arc/kube-client';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import { createMemoryStore } from '@arc/storage';
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { storedTypes } from './server/defaults.ts';
import { standaloneControllers } from './standalone-controllers.ts';

const authority = createAuthority({ commonName: 'test' });
const server = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
const admin = issueClientCertificate(authority, { user: 'admin', groups: ['system:masters'] });

interface Scenario extends AsyncDisposable {
  readonly client: KubeClient;
}

/** The server and the client as they run in production, over TLS with client certificates, and the controllers between them. */
async function setUp(): Promise<Scenario> {
  await using stack = new AsyncDisposableStack();
  const store = stack.use(createMemoryStore());
  const tls = { cert: server.certPem, key: server.keyPem, clientCa: authority.certPem };
  const api = stack.use(await createApiServer({ kinds: coreKinds, store, tls }));
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 });
  await api.ready;
  const client = stack.use(
    createKubeClient(
      { server: `https://127.0.0.1:${port}`, caPem: authority.certPem, clientCertificate: admin },
      { userAgent: 'standalone-test' },
    ),
  );
  const running = stack.use(startControllers(standaloneControllers({ client, types: storedTypes(coreKinds) })));
  await running.ready;
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns' } });
  const all = stack.move();
  return { client, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function configMap(name: string, owner?: KubeObject, finalizers: string[] = []): UnstructuredObject {
  const ownerReferences =
    owner === undefined
      ? []
      : [
          {
            apiVersion: owner.apiVersion,
            kind: owner.kind,
            name: owner.metadata.name ?? '',
            uid: owner.metadata.uid ?? '',
            blockOwnerDeletion: true,
          },
        ];
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'ns', name, ownerReferences, finalizers }, data: { a: 'b' } };
}

async function names(client: KubeClient, type: ResourceType): Promise<string[]> {
  return (await client.list(type)).items.map(({ metadata }) => metadata.name ?? '');
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `${what} did not happen`);
    await turn();
  }
}

test('on the real server, dependents follow their owners: background, foreground and orphan', async () => {
  await using scenario = await setUp();
  const { client } = scenario;
  const a = await client.create(configMaps, configMap('a'));
  const b = await client.create(configMaps, configMap('b', a));
  await client.create(configMaps, configMap('c', b));
  await client.delete(configMaps, { namespace: 'ns', name: 'a' });
  await eventually('background deletion', async () => (await names(client, configMaps)).length === 0);

  const d = await client.create(configMaps, configMap('d'));
  await client.create(configMaps, configMap('e', d, ['test/hold']));
  await client.delete(configMaps, { namespace: 'ns', name: 'd' }, { propagationPolicy: 'Foreground' });
  await eventually('the deletion of the dependent', async () => {
    const { metadata } = await client.get(configMaps, { namespace: 'ns', name: 'e' });
    return metadata.deletionTimestamp !== undefined;
  });
  assert.deepEqual(await names(client, configMaps), ['d', 'e']);
  await client.patch(configMaps, { namespace: 'ns', name: 'e' }, { metadata: { finalizers: null } });
  await eventually('foreground deletion', async () => (await names(client, configMaps)).length === 0);

  const f = await client.create(configMaps, configMap('f'));
  await client.create(configMaps, configMap('g', f));
  await client.delete(configMaps, { namespace: 'ns', name: 'f' }, { propagationPolicy: 'Orphan' });
  await eventually('orphaning', async () => (await names(client, configMaps)).join(',') === 'g');
  assert.deepEqual((await client.get(configMaps, { namespace: 'ns', name: 'g' })).metadata.ownerReferences ?? [], []);
});

test('on the real server, a deleted namespace is emptied and goes', async () => {
  await using scenario = await setUp();
  const { client } = scenario;
  const owner = await client.create(configMaps, configMap('owner'));
  for (let i = 0; i < 20; i += 1) await client.create(configMaps, configMap(`c${i}`, owner));
  await client.create(configMaps, configMap('held', undefined, ['test/hold']));
  await client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'ns', name: 's' } });
  await client.delete(namespaces, { name: 'ns' });
  await eventually('the report of what remains', async () => {
    const namespace = await client.get<UnstructuredObject & { status?: { conditions?: { type: string; status: string }[] } }>(namespaces, {
      name: 'ns',
    });
    return namespace.status?.conditions?.some(({ type, status }) => type === 'NamespaceFinalizersRemaining' && status === 'True') === true;
  });
  assert.deepEqual(await names(client, configMaps), ['held']);
  await assert.rejects(client.create(configMaps, configMap('late')), { code: 'Forbidden' });
  await client.patch(configMaps, { namespace: 'ns', name: 'held' }, { metadata: { finalizers: null } });
  await eventually('the end of the namespace', async () => !(await names(client, namespaces)).includes('ns'));
});

test('on the real server, informers keep up with the server and discovery finds its kinds', async () => {
  await using scenario = await setUp();
  const { client } = scenario;
  const stop = new AbortController();
  const informer = createInformer(client, configMaps);
  const running = informer.run(stop.signal);
  await informer.synced();
  const created = await Promise.all(Array.from({ length: 50 }, (_, i) => client.create(configMaps, configMap(`e${i}`))));
  await client.patch(configMaps, { namespace: 'ns', name: 'e7' }, { data: { text: 'über 🚢' } });
  await client.delete(configMaps, { namespace: 'ns', name: 'e8' });
  const { metadata, items } = await client.list(configMaps, { limit: 20 });
  assert.equal(items.length, 20);
  assert.equal(metadata.remainingItemCount, created.length - 1 - 20);
  const expected = (await client.list(configMaps)).items;
  await eventually('the informer catching up', async () => JSON.stringify(sorted(informer.list())) === JSON.stringify(sorted(expected)));
  stop.abort();
  await running;

  const resources = await discover(client);
  assert.deepEqual(findResource(resources, 'cm').type, configMaps);
  assert.deepEqual(findResource(resources, 'po').type, pods);
});

function sorted(objects: readonly KubeObject[]): KubeObject[] {
  return [...objects].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
}
