import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from '@arc/apimachinery';
import * as pki from '@arc/pki';
import { createMemoryStore, type RangeOptions, type Store, StorageError } from '@arc/storage';
import { createApiServer } from './api-server.ts';
import { testKinds, widget } from './testing/kinds.ts';
import { standaloneTestKinds } from './testing/standalone-kinds.ts';
import { startTestServer } from './testing/test-server.ts';
import type { TestClient } from './testing/test-client.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';

/** A store whose reading of pages waits, or fails, as a test says. */
class GatedStore {
  readonly inner = createMemoryStore();
  readonly store: Store;
  /** Called before each page. */
  beforePage: (page: number) => Promise<void> = () => Promise.resolve();
  #pages = 0;
  #feed = new AbortController();

  constructor() {
    const range = async (options: RangeOptions): ReturnType<Store['range']> => {
      this.#pages += 1;
      await this.beforePage(this.#pages);
      return this.inner.range(options);
    };
    this.store = new Proxy(this.inner, {
      get: (target, name) => {
        if (name === 'range') return range;
        if (name === 'changes') return this.#changes.bind(this);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  /** Ends the change feed with an error, once. */
  failFeed(error: Error): void {
    const feed = this.#feed;
    this.#feed = new AbortController();
    feed.abort(error);
  }

  async *#changes(after: number, signal: AbortSignal): ReturnType<Store['changes']> {
    const { signal: own } = this.#feed;
    yield* this.inner.changes(after, AbortSignal.any([signal, own]));
    if (!signal.aborted) throw own.reason;
  }

  async fill(count: number): Promise<void> {
    const value = Buffer.from(JSON.stringify(widget('any', {}, { namespace: 'ns' })));
    const key = (i: number): string => `/registry/demo.example.com/widgets/ns/w${i}`;
    await this.inner.commit(Array.from({ length: count }, (_, i) => ({ key: key(i), expect: 'absent', value })));
  }
}

async function assertRefused(client: TestClient): Promise<void> {
  const answers = [
    await client.get(widgets),
    await client.get(`${widgets}?resourceVersion=0`),
    await client.get(`${widgets}/w1`),
    await client.get(`${widgets}?watch=1`),
    await client.post(widgets, widget('new')),
    await client.send('DELETE', `${widgets}/w1`),
  ];
  for (const answer of answers) {
    assert.equal(answer.code, 429, answer.text);
    assert.equal(answer.headers['retry-after'], '1');
    const { reason, message } = answer.status();
    assert.deepEqual([reason, message], ['TooManyRequests', 'storage is (re)initializing']);
  }
}

async function assertProbesAnswered(client: TestClient): Promise<void> {
  assert.equal((await client.get('/livez')).text, 'ok');
  const ready = await client.get('/readyz');
  assert.equal(ready.code, 500);
  assert.match(ready.text, /\[\+\]storage ok\n\[-\]watch-cache failed: reason withheld\n/);
  for (const path of [
    '/apis',
    '/apis/demo.example.com/v1',
    '/openapi/v2',
    '/openapi/v3',
    '/openapi/v3/apis/demo.example.com/v1',
    '/version',
  ]) {
    assert.equal((await client.get(path)).code, 200, path);
  }
}

test('0.1 while the store is being loaded probes and discovery are answered between pages, and resources say "later"', async () => {
  const gated = new GatedStore();
  await gated.fill(1_000);
  const gate = Promise.withResolvers<void>();
  gated.beforePage = () => gate.promise;
  await using server = await startTestServer(pki, { store: gated.store, kinds: standaloneTestKinds, waitUntilReady: false });
  let answered = 0;
  gated.beforePage = async () => {
    await assertProbesAnswered(server.admin);
    answered += 1;
  };
  await assertRefused(server.admin);
  await assertProbesAnswered(server.admin);
  const user = server.as('somebody');
  assert.equal((await user.get('/apis/demo.example.com/v1')).code, 200, 'before the roles are known, discovery is for every user');
  await assertRefused(user);
  assert.equal((await user.get('/metrics')).code, 429, 'and nothing else is');
  const withToken = server.withCertificate(undefined);
  const token = { authorization: `Bearer arc_0123456789abcdef_${'x'.repeat(43)}` };
  assert.equal((await withToken.get('/livez', token)).code, 200, 'a probe may carry a token nobody can look up yet');
  assert.equal((await withToken.get('/apis', token)).code, 429);
  assert.match((await server.admin.get('/metrics')).text, /^apiserver_watch_cache_loaded 0$/m);

  gate.resolve();
  await server.api.ready;
  assert.ok(answered >= 3, `${answered} pages were loaded while probes were answered`);
  assert.equal((await server.admin.get('/readyz')).code, 200);
  const list = (await server.admin.get(widgets)).object() as unknown as { readonly items: readonly unknown[] };
  assert.equal(list.items.length, 1_000);
  assert.equal((await user.get('/apis/demo.example.com/v1')).code, 403, 'now the roles decide');
});

test('a store that cannot be reached is loaded when it can; one that never will be makes `ready` fail, and probes go on', async () => {
  const gated = new GatedStore();
  gated.beforePage = (page) => (page <= 2 ? Promise.reject(new StorageError('Unavailable', 'not yet')) : Promise.resolve());
  await using late = await startTestServer(pki, { store: gated.store });
  assert.equal((await late.admin.get('/readyz')).code, 200);

  const broken = new GatedStore();
  broken.beforePage = () => Promise.reject(new StorageError('BadDatabase', 'page 7 is damaged'));
  await using server = await startTestServer(pki, { store: broken.store, waitUntilReady: false });
  await assert.rejects(server.api.ready, { code: 'BadDatabase' });
  assert.equal((await server.admin.get('/livez')).code, 200);
  assert.equal((await server.admin.get('/readyz')).code, 500);
  assert.equal((await server.admin.get('/apis/demo.example.com/v1')).code, 200);
  assert.equal((await server.admin.get(widgets)).code, 503);
});

test('a cache that has to be loaded anew ends watches with 410 and shows nobody what it held', async () => {
  const gated = new GatedStore();
  await using server = await startTestServer(pki, { store: gated.store });
  const created = (await server.admin.post(widgets, widget('before'))).object();
  const resume = `${widgets}?watch=1&resourceVersion=${String(created.metadata.resourceVersion)}`;
  await using watch = await server.admin.watch(resume);
  const gate = Promise.withResolvers<void>();
  gated.beforePage = () => gate.promise;
  gated.failFeed(new StorageError('Compacted', 'the feed has fallen behind'));
  const ended = await watch.next();
  assert.equal(ended?.type, 'ERROR');
  const { code, reason } = ended.object as unknown as Status;
  assert.deepEqual([code, reason], [410, 'Expired']);
  await assertRefused(server.admin);
  await assertProbesAnswered(server.admin);
  gate.resolve();
  while ((await server.admin.get('/readyz')).code !== 200) await new Promise(setImmediate);
  assert.equal((await server.admin.get(`${widgets}/before`)).code, 200);
});

test('a server is there before its store is, and closes without it', async () => {
  const gated = new GatedStore();
  gated.beforePage = () => new Promise(() => {});
  const authority = pki.createAuthority({ commonName: 'test authority' });
  const serving = pki.issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
  const tls = { cert: serving.certPem, key: serving.keyPem, clientCa: authority.certPem };
  const api = await createApiServer({ kinds: testKinds, store: gated.store, tls });
  await api.listen({ host: '127.0.0.1', port: 0 });
  const ready = assert.rejects(api.ready, { code: 'Closed' });
  await api.close({ graceMs: 0 });
  await ready;
});
