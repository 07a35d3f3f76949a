import type { KindDefinition, KubeObject, ResourceType, WatchEvent } from '@arc/apimachinery';
import { s } from '@arc/apimachinery';
import { configMaps, coreKinds, namespaces } from '@arc/api/core';
import { createApiServer } from '@arc/apiserver';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import { createMemoryStore } from '@arc/storage';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeClient } from './client.ts';
import { createKubeClient } from './create-kube-client.ts';
import { createFakeClient } from './fake/index.ts';

const widgets: ResourceType = { group: 'demo.example.com', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true };

const widgetDefinition: KindDefinition = {
  group: 'demo.example.com',
  version: 'v1',
  kind: 'Widget',
  names: { plural: 'widgets', singular: 'widget' },
  scope: 'Namespaced',
  description: 'For tests.',
  schema: s.object({
    spec: s.optional(s.object({ size: s.optional(s.integer()) })),
    status: s.optional(s.object({ ready: s.optional(s.boolean()) })),
  }),
  subresources: { status: true },
};

interface Widget extends KubeObject {
  spec?: { size: number };
  status?: { ready: boolean };
}

interface Adapter {
  readonly name: string;
  open(): Promise<AsyncDisposable & { readonly client: KubeClient }>;
}

const kinds = [...coreKinds, widgetDefinition];
const authority = createAuthority({ commonName: 'test' });
const serverCertificate = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
const clientCertificate = issueClientCertificate(authority, { user: 'admin', groups: ['system:masters'] });

const adapters: readonly Adapter[] = [
  {
    name: 'the fake client',
    open: async () => {
      const client = createFakeClient({ kinds });
      return { client, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
    },
  },
  { name: 'the client of the real server', open: () => openReal(false) },
  { name: 'the client of the real server over HTTP/2', open: () => openReal(true) },
];

async function openReal(multiplex: boolean): ReturnType<Adapter['open']> {
  await using stack = new AsyncDisposableStack();
  const store = stack.use(createMemoryStore());
  const tls = { cert: serverCertificate.certPem, key: serverCertificate.keyPem, clientCa: authority.certPem };
  const server = stack.use(await createApiServer({ kinds, store, tls }));
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  await server.ready;
  const config = { server: `https://localhost:${port}`, caPem: authority.certPem, clientCertificate };
  const client = stack.use(createKubeClient(config, { userAgent: 'contract', multiplex }));
  const all = stack.move();
  return { client, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

const w1 = { namespace: 'ns', name: 'w1' };

function widget(name: string, extra: Partial<Widget> & { labels?: Record<string, string>; finalizers?: string[] } = {}): Widget {
  const { labels, finalizers, ...rest } = extra;
  const metadata = { namespace: 'ns', name, ...(labels !== undefined && { labels }), ...(finalizers !== undefined && { finalizers }) };
  return { apiVersion: 'demo.example.com/v1', kind: 'Widget', metadata, ...rest };
}

for (const adapter of adapters) {
  describe(adapter.name, () => {
    const scenario = (name: string, run: (client: KubeClient) => Promise<void>): void => {
      test(name, async () => {
        await using opened = await adapter.open();
        await opened.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns' } });
        await run(opened.client);
      });
    };

    scenario('create, update and status follow the generation and locking rules', async (client) => {
      const created = await client.create(widgets, widget('w1', { spec: { size: 1 }, status: { ready: true } }));
      assert.equal(created.metadata.generation, 1);
      assert.match(created.metadata.uid ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      assert.match(created.metadata.creationTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
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
      await assert.rejects(client.update(widgets, widget('w2', { spec: { size: 1 } })), { code: 'NotFound' });
      const config: KubeObject = await client.create<KubeObject>(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: w1 });
      assert.equal(config.metadata.generation, undefined);
      await assert.rejects(client.updateStatus(configMaps, config), { code: 'NotFound' });
    });

    scenario('a dry run answers as if it had been done', async (client) => {
      const tried = await client.create(widgets, widget('w1'), { dryRun: true });
      assert.notEqual(tried.metadata.uid, undefined);
      await assert.rejects(client.get(widgets, w1), { code: 'NotFound' });
    });

    scenario('generated names are made of the prefix and something new', async (client) => {
      const unnamed: Widget = { ...widget('x'), metadata: { namespace: 'ns', generateName: 'gen-' } };
      const names = new Set<string>();
      for (let i = 0; i < 3; i += 1) names.add((await client.create(widgets, unnamed)).metadata.name ?? '');
      assert.equal(names.size, 3);
      for (const name of names) assert.match(name, /^gen-.{5}$/);
    });

    scenario('patches merge or apply operations, and lock only when they carry a resourceVersion', async (client) => {
      const created = await client.create(widgets, widget('w1', { spec: { size: 1 }, labels: { a: 'b', c: 'd' } }));
      const merged = await client.patch<Widget>(widgets, w1, { metadata: { labels: { a: null } }, spec: { size: 2 } });
      assert.deepEqual([merged.metadata.labels, merged.spec, merged.metadata.generation], [{ c: 'd' }, { size: 2 }, 2]);
      const operations = [
        { op: 'test', path: '/spec/size', value: 2 },
        { op: 'replace', path: '/spec/size', value: 3 },
      ];
      const patched = await client.patch<Widget>(widgets, w1, operations, { patchType: 'json' });
      assert.equal(patched.spec?.size, 3);
      await assert.rejects(client.patch(widgets, w1, operations, { patchType: 'json' }), { code: 'Invalid' });
      const { uid = '', resourceVersion = '' } = created.metadata;
      await assert.rejects(client.patch(widgets, w1, { metadata: { resourceVersion }, spec: { size: 1 } }), { code: 'Conflict' });
      await assert.rejects(client.patch(widgets, w1, { metadata: { uid: `${uid}0` } }), { code: 'Conflict' });
      await assert.rejects(client.patch(widgets, w1, { metadata: { name: 'other' } }), { code: 'BadRequest' });
      const ready = await client.patch<Widget>(widgets, w1, { spec: { size: 7 }, status: { ready: true } }, { subresource: 'status' });
      assert.deepEqual([ready.spec, ready.status, ready.metadata.generation], [{ size: 3 }, { ready: true }, 3]);
    });

    scenario('finalizers hold a deleted object until the last is removed', async (client) => {
      const created = await client.create(widgets, widget('w1', { finalizers: ['demo/hold'] }));
      await assert.rejects(client.delete(widgets, w1, { preconditions: { uid: 'other' } }), { code: 'Conflict' });
      await assert.rejects(client.delete(widgets, w1, { preconditions: { resourceVersion: '1' } }), { code: 'Conflict' });
      await client.delete(widgets, w1, { preconditions: { uid: created.metadata.uid ?? '' } });
      const held = await client.get(widgets, w1);
      assert.notEqual(held.metadata.deletionTimestamp, undefined);
      assert.equal(held.metadata.generation, 2);
      await assert.rejects(client.patch(widgets, w1, { metadata: { finalizers: ['demo/hold', 'demo/new'] } }), { code: 'Invalid' });
      await client.patch(widgets, w1, { metadata: { finalizers: null } });
      await assert.rejects(client.get(widgets, w1), { code: 'NotFound' });
      await assert.rejects(client.delete(widgets, w1), { code: 'NotFound' });
    });

    scenario('propagation policies become the finalizers of the garbage collector', async (client) => {
      for (const [policy, finalizer] of [
        ['Foreground', 'foregroundDeletion'],
        ['Orphan', 'orphan'],
      ] as const) {
        await client.create(widgets, widget(policy.toLowerCase()));
        await client.delete(widgets, { namespace: 'ns', name: policy.toLowerCase() }, { propagationPolicy: policy });
        const { metadata } = await client.get(widgets, { namespace: 'ns', name: policy.toLowerCase() });
        assert.deepEqual(metadata.finalizers, [finalizer]);
      }
      await client.delete(widgets, { namespace: 'ns', name: 'orphan' }, { propagationPolicy: 'Background' });
      await assert.rejects(client.get(widgets, { namespace: 'ns', name: 'orphan' }), { code: 'NotFound' });
    });

    scenario('a deleted namespace terminates, refuses new content and goes with finalize', async (client) => {
      await client.delete(namespaces, { name: 'ns' });
      const terminating = await client.get(namespaces, { name: 'ns' });
      assert.equal((terminating['status'] as { phase?: string }).phase, 'Terminating');
      await assert.rejects(client.create(widgets, widget('w1')), { code: 'Forbidden' });
      const body = JSON.stringify({ ...terminating, spec: { finalizers: [] } });
      const headers = { 'content-type': 'application/json' };
      const answer = await client.raw({ method: 'PUT', path: '/api/v1/namespaces/ns/finalize', headers, body });
      for await (const _chunk of answer.body);
      await assert.rejects(client.get(namespaces, { name: 'ns' }), { code: 'NotFound' });
    });

    scenario('lists page through one snapshot and select', async (client) => {
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
      assert.deepEqual([first.metadata.remainingItemCount, second.metadata.continue], [1, undefined]);
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
      await assert.rejects(client.list(widgets, { fieldSelector: 'spec.size=1' }), { code: 'BadRequest' });
      assert.deepEqual((await client.list(widgets, { namespace: 'other' })).items, []);
      await client.patch(widgets, { namespace: 'ns', name: 'b' }, { spec: { size: 1 } });
      const [partial] = (await client.list<Widget>(widgets, { metadataOnly: true, labelSelector: 'color=blue' })).items;
      assert.deepEqual([partial?.kind, partial?.metadata.name, partial?.spec], ['Widget', 'b', undefined]);
    });

    scenario('a collection is deleted by selector, object by object', async (client) => {
      await client.create(widgets, widget('a', { labels: { keep: 'no' } }));
      await client.create(widgets, widget('b', { labels: { keep: 'no' }, finalizers: ['demo/hold'] }));
      await client.create(widgets, widget('c'));
      await client.deleteCollection(widgets, { namespace: 'ns', labelSelector: 'keep=no' });
      const left = (await client.list(widgets)).items;
      assert.deepEqual(
        left.map(({ metadata }) => [metadata.name, metadata.deletionTimestamp !== undefined]),
        [
          ['b', true],
          ['c', false],
        ],
      );
    });

    scenario('a watch resumes from its revision and reports selector transitions', async (client) => {
      const created = await client.create(widgets, widget('w1', { labels: { color: 'red' } }));
      const resourceVersion = created.metadata.resourceVersion ?? '';
      const resized = await client.patch(widgets, w1, { spec: { size: 1 } });
      const painted = await client.patch(widgets, w1, { metadata: { labels: { color: 'blue' } } });
      await client.delete(widgets, w1);
      const all = await take(client.watch(widgets, { resourceVersion }), 3);
      assert.deepEqual(
        all.slice(0, 2).map(({ type, object }) => [type, object.metadata.resourceVersion]),
        [
          ['MODIFIED', resized.metadata.resourceVersion],
          ['MODIFIED', painted.metadata.resourceVersion],
        ],
      );
      assert.equal(all[2]?.type, 'DELETED');
      assert.ok(Number(all[2]?.object.metadata.resourceVersion) > Number(painted.metadata.resourceVersion), 'the revision of the deletion');
      const red = await take(client.watch(widgets, { resourceVersion, labelSelector: 'color=red' }), 2);
      assert.deepEqual(
        red.map(({ type, object }) => [type, object.metadata.resourceVersion, object.metadata.labels?.['color']]),
        [
          ['MODIFIED', resized.metadata.resourceVersion, 'red'],
          ['DELETED', painted.metadata.resourceVersion, 'red'],
        ],
      );
      const blue = await take(client.watch(widgets, { resourceVersion, labelSelector: 'color=blue', metadataOnly: true }), 2);
      assert.deepEqual(
        blue.map(({ type, object }) => [type, Object.keys(object).sort()]),
        [
          ['ADDED', ['apiVersion', 'kind', 'metadata']],
          ['DELETED', ['apiVersion', 'kind', 'metadata']],
        ],
      );
    });

    scenario('a watch from 0 begins with what exists, goes on live, and ends with its signal', async (client) => {
      await client.create(widgets, widget('a'));
      const abort = new AbortController();
      const seen: string[] = [];
      for await (const { type, object } of client.watch(widgets, { resourceVersion: '0', signal: abort.signal })) {
        seen.push(`${type} ${object.metadata.name}`);
        if (seen.length === 1) await client.create(widgets, widget('b'));
        else abort.abort();
      }
      assert.deepEqual(seen, ['ADDED a', 'ADDED b']);
    });
  });
}

test('the fake forgets history when told to, for lists and watches', async () => {
  await using client = createFakeClient();
  for (const name of ['a', 'b', 'c']) await client.create(widgets, widget(name));
  const page = await client.list(widgets, { limit: 2 });
  client.compact();
  await client.create(widgets, widget('d'));
  client.compact();
  await assert.rejects(client.list(widgets, { continue: page.metadata.continue ?? '' }), { code: 'Expired' });
  await assert.rejects(take(client.watch(widgets, { resourceVersion: page.metadata.resourceVersion ?? '' }), 1), { code: 'Expired' });
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
