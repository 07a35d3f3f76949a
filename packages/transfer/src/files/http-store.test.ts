import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type FileServer, type FileServerOptions, missingRclone, startFileServer, startRcloneWebdav } from '@arc/testkit';
import { fixedCredential } from '../auth/credential.ts';
import { digestOf } from '../digest/digest.ts';
import { HttpTransport } from '../http/http-transport.ts';
import { parseBaseURL } from './base-url.ts';
import { HttpStore } from './http-store.ts';

const retry = { attempts: 3, initialMs: 1, maxMs: 2, maxRetryAfterMs: 1000 };
const bytes = randomBytes(300_000);

function open(server: FileServer): { readonly store: HttpStore } & Disposable {
  const base = parseBaseURL(`${server.url}/zone`);
  const transport = new HttpTransport(new URL(base.origin), { retry });
  return { store: new HttpStore(transport, base), [Symbol.dispose]: () => transport[Symbol.dispose]() };
}

async function start(options: FileServerOptions): Promise<FileServer> {
  const server = await startFileServer(options);
  if (options.writable === 'webdav') await (await fetch(`${server.url}/zone/`, { method: 'MKCOL' })).text();
  return server;
}

function contentOf(content: Buffer) {
  return {
    digest: digestOf(content),
    size: content.length,
    open: async function* () {
      for (let offset = 0; offset < content.length; offset += 50_000) yield content.subarray(offset, offset + 50_000);
    },
  };
}

/** The whole of what a server holds, so that nothing unfinished is among it. */
function paths(server: FileServer): string[] {
  return [...server.files.keys()].sort();
}

for (const writable of ['put', 'webdav'] as const) {
  test(`files are put to a server of kind ${writable}: complete, once, and only over others when told`, async () => {
    await using server = await start({ writable });
    using opened = open(server);
    const { store } = opened;
    const path = 'tools/a b/tool#1?.tgz';
    assert.equal(await store.digest(path, digestOf(bytes)), undefined);
    await store.write(path, contentOf(bytes));
    assert.deepEqual([paths(server), server.files.get(`/zone/${path}`)?.equals(bytes)], [[`/zone/${path}`], true]);
    assert.equal(await store.digest(path, digestOf(bytes, 'sha512')), digestOf(bytes, 'sha512'));
    await store.write(path, contentOf(bytes));
    await assert.rejects(store.write(path, contentOf(Buffer.from('other'))), { code: 'TagConflict' });
    await store.write(path, contentOf(Buffer.from('other')), { overwrite: true });
    assert.equal(String(server.files.get(`/zone/${path}`)), 'other');
    for (const bad of ['../x', 'a/../../x', '/x', 'a//b', '..', 'a\\b']) {
      await assert.rejects(store.write(bad, contentOf(bytes), { overwrite: true }), { code: 'InvalidReference' }, bad);
    }
    assert.deepEqual(paths(server), [`/zone/${path}`]);
  });

  test(`a write to a server of kind ${writable} that breaks is begun again, and one that fails leaves nothing`, async () => {
    await using server = await start({ writable });
    using opened = open(server);
    const { store } = opened;
    server.faults.add({ match: { method: 'PUT' }, action: { kind: 'cut', afterBytes: 100_000 } });
    server.faults.add({ match: { method: 'PUT' }, action: { kind: 'status', status: 503 } });
    await store.write('a', contentOf(bytes));
    assert.ok(server.files.get('/zone/a')?.equals(bytes));
    await assert.rejects(store.write('b', { ...contentOf(bytes), open: () => broken() }), /the source broke/);
    server.faults.add({ match: { method: 'PUT' }, action: { kind: 'redirect', status: 307, location: 'http://127.0.0.1:1/' } });
    await assert.rejects(store.write('c', contentOf(bytes)), { code: 'UnsafeURL' });
    server.faults.add({ match: { method: 'PUT' }, action: { kind: 'status', status: 507 } });
    await assert.rejects(store.write('d', contentOf(bytes)), { code: 'StorageFull' });
    assert.deepEqual(paths(server), ['/zone/a']);
  });

  test(`a small file on a server of kind ${writable} is replaced only as it was read`, async () => {
    for (const options of [
      {},
      { conditions: false },
      { etags: false, conditions: false },
      { conditions: false, locks: writable === 'webdav' },
    ]) {
      await using server = await start({ writable, ...options });
      using opened = open(server);
      const { store } = opened;
      const text = (value: string): Buffer => Buffer.from(value);
      assert.equal(await store.readVersioned('dir/index', 10), undefined);
      assert.equal(await store.replace('dir/index', text('one'), undefined), true);
      assert.equal(await store.replace('dir/index', text('two'), undefined), false);
      const first = await store.readVersioned('dir/index', 10);
      assert.equal(String(first?.bytes), 'one');
      assert.equal(await store.replace('dir/index', text('two'), first?.version), true);
      assert.equal(await store.replace('dir/index', text('three'), first?.version), false);
      assert.deepEqual([String(server.files.get('/zone/dir/index')), paths(server)], ['two', ['/zone/dir/index']]);
      assert.equal(store.warnings.length, options.conditions === false && !('locks' in options && options.locks) ? 1 : 0);
      await assert.rejects(store.readVersioned('dir/index', 2), { code: 'TooLarge' });
    }
  });
}

test('a token is sent with the first request, and a server that refuses it is told apart', async () => {
  await using server = await startFileServer({ writable: 'put', auth: { kind: 'bearer', token: 'the-token' } });
  const base = new URL('/', server.url);
  for (const [token, code] of [
    ['the-token', undefined],
    ['wrong', 'Unauthorized'],
  ] as const) {
    using transport = new HttpTransport(base, { retry, credentials: fixedCredential({ kind: 'bearer', token }), preemptive: true });
    const writing = new HttpStore(transport, base).write('a', contentOf(bytes));
    if (code === undefined) await writing;
    else await assert.rejects(writing, { code });
  }
  assert.ok(server.files.get('/a')?.equals(bytes));
  assert.equal(server.requests.entries[0]?.headers['authorization'], 'Bearer the-token');
});

test('the WebDAV server of rclone takes files as a stub does', { skip: missingRclone }, async () => {
  await using server = await startRcloneWebdav();
  const base = new URL('/', server.url);
  using transport = new HttpTransport(base, { retry });
  const store = new HttpStore(transport, base);
  const path = 'tools/a b/tool#1?.tgz';
  assert.equal(await store.digest(path, digestOf(bytes)), undefined);
  await store.write(path, contentOf(bytes));
  assert.equal(await store.digest(path, digestOf(bytes)), digestOf(bytes));
  await store.write(path, contentOf(bytes));
  await assert.rejects(store.write(path, contentOf(Buffer.from('other'))), { code: 'TagConflict' });
  await assert.rejects(store.write('b', { ...contentOf(bytes), open: () => broken() }), /the source broke/);
  assert.equal(await store.digest('b', digestOf(bytes)), undefined);
  await store.write(path, contentOf(Buffer.from('other')), { overwrite: true });
  const read = await store.readVersioned(path, 10);
  assert.deepEqual(
    [String(read?.bytes), await store.replace(path, Buffer.from('new'), read?.version), store.warnings],
    ['other', true, []],
  );
  assert.equal(await store.replace(path, Buffer.from('newer'), read?.version), false);
});

async function* broken(): AsyncGenerator<Buffer> {
  yield bytes.subarray(0, 100_000);
  throw new Error('the source broke');
}
