import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnstructuredObject } from '@arc/apimachinery';
import * as pki from '@arc/pki';
import { createMemoryStore, type Store } from '@arc/storage';
import { widget } from '../testing/kinds.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';

/** A server that can be made to learn of changes only when it asks what is newest. */
interface LateServer extends AsyncDisposable {
  readonly server: TestServer;
  /** From now on it is told nothing until it asks. */
  delay(): void;
  /** How often it has asked since. */
  readonly asked: number;
  /** What another server does: replaces the spec of a widget, or creates it as a copy of `from`. */
  writeElsewhere(name: string, spec: unknown, from?: string): Promise<number>;
}

async function startLateServer(): Promise<LateServer> {
  const store = createMemoryStore();
  let gate = Promise.resolve();
  let open = (): void => {};
  let asked = 0;
  const late: Store = Object.assign(Object.create(store) as Store, {
    async *changes(after: number, signal: AbortSignal): ReturnType<Store['changes']> {
      for await (const batch of store.changes(after, signal)) {
        await gate;
        yield batch;
      }
    },
  });
  for (const name of ['commit', 'get', 'range', 'compact', 'compactedRevision'] as const) {
    Object.assign(late, { [name]: store[name].bind(store) });
  }
  late.currentRevision = async (options) => {
    asked += 1;
    open();
    return await store.currentRevision(options);
  };
  const server = await startTestServer(pki, { store: late });
  return {
    server,
    delay: () => {
      asked = 0;
      ({ promise: gate, resolve: open } = Promise.withResolvers<void>());
    },
    get asked() {
      return asked;
    },
    async writeElsewhere(name, spec, from = name) {
      const { items } = await store.range({ prefix: '/' });
      const stored = items.find(({ key }) => key.endsWith(`/${from}`));
      assert.ok(stored);
      const object = JSON.parse(Buffer.from(stored.value).toString()) as { metadata: object };
      const changed = { ...object, metadata: { ...object.metadata, name }, spec };
      const key = stored.key.replace(/[^/]*$/, name);
      const [outcome] = await store.commit([
        { key, expect: name === from ? stored.revision : 'absent', value: Buffer.from(JSON.stringify(changed)) },
      ]);
      assert.ok(outcome?.committed);
      return outcome.revision;
    },
    async [Symbol.asyncDispose]() {
      open();
      await server[Symbol.asyncDispose]();
    },
  };
}

test('what would be answered because of an old state is decided again from the newest one', async () => {
  await using late = await startLateServer();
  const { admin } = late.server;
  await admin.post(widgets, widget('a', { size: 1 }));

  late.delay();
  const revision = await late.writeElsewhere('a', { size: 3 });
  const put = await admin.send('PUT', `${widgets}/a`, { body: widget('a', { size: 5 }, { resourceVersion: String(revision) }) });
  assert.equal(put.code, 200, 'a conflict with an old state');

  late.delay();
  await late.writeElsewhere('a', { size: 7 });
  assert.equal(await resize(late, 5), 5, 'nothing to change in an old state');
  assert.equal(sizeOf(await admin.get(`${widgets}/a`)), 5);

  late.delay();
  await late.writeElsewhere('b', { size: 9 }, 'a');
  assert.equal((await admin.send('DELETE', `${widgets}/b`)).code, 200, 'not found in an old state');
  assert.equal((await admin.send('DELETE', `${widgets}/b`)).code, 404);
});

test('a write does not wait for what the server has not been told yet', async () => {
  await using late = await startLateServer();
  const { admin } = late.server;
  await admin.post(widgets, widget('a', { size: 1 }));
  await admin.get(`${widgets}/a`);
  late.delay();
  for (const size of [3, 5]) assert.equal(await resize(late, size), size);
  await late.writeElsewhere('a', { size: 7 });
  assert.equal(await resize(late, 9), 9);
  assert.equal((await admin.send('DELETE', `${widgets}/a`)).code, 200);
  assert.equal(late.asked, 0);
});

async function resize({ server }: LateServer, size: number): Promise<unknown> {
  const headers = { 'content-type': 'application/merge-patch+json' };
  return sizeOf(await server.admin.send('PATCH', `${widgets}/a`, { body: { spec: { size } }, headers }));
}

function sizeOf(answer: { readonly object: () => UnstructuredObject }): unknown {
  return (answer.object()['spec'] as { readonly size: unknown }).size;
}
