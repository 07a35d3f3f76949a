import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { codeOf } from '@arc/kernel';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import { followStore } from '@arc/storage/conformance';
import { openEtcdStore } from './etcd-store.ts';
import { bytes, committed, creation, missingEtcd, testEtcds, write } from '../test/etcd.ts';

test('endpoints and files that cannot be used are refused by name', async () => {
  const refused = { code: 'Unavailable' };
  await assert.rejects(openEtcdStore({ endpoints: [] }), refused);
  await assert.rejects(openEtcdStore({ endpoints: ['etcd.example'] }), { ...refused, message: /"etcd\.example" is not an endpoint/ });
  await assert.rejects(openEtcdStore({ endpoints: ['http://a:1', 'https://b:1'] }), { ...refused, message: /together with TLS/ });
  await assert.rejects(openEtcdStore({ endpoints: ['a:1'], tls: { certFile: 'c.pem' } }), { ...refused, message: /key file/ });
  await assert.rejects(openEtcdStore({ endpoints: ['a:1'], tls: { caFile: '/nowhere/ca.pem' } }), {
    ...refused,
    message: /\/nowhere\/ca\.pem/,
  });
});

test('an etcd that is not there is said to be unreachable, and opening can be given up', async () => {
  const endpoints = ['127.0.0.1:1'];
  await assert.rejects(openEtcdStore({ endpoints, timeoutMs: 100 }), { code: 'Unavailable', message: /127\.0\.0\.1:1/ });
  const signal = AbortSignal.timeout(50);
  await assert.rejects(openEtcdStore({ endpoints, signal }), (error) => error === signal.reason);
});

suite('etcd with TLS and authentication', { skip: missingEtcd }, async () => {
  if (missingEtcd !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const etcds = resources.use(testEtcds());
  const authority = createAuthority({ commonName: 'etcd test' });
  const server = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
  const client = issueClientCertificate(authority, { user: 'arc', groups: [] });
  const file = (name: string, content: string): string => {
    const path = join(etcds.folder, name);
    writeFileSync(path, content);
    return path;
  };
  const caFile = file('ca.pem', authority.certPem);
  const otherCaFile = file('other.pem', createAuthority({ commonName: 'other' }).certPem);
  const certFile = file('client.pem', client.certPem);
  const keyFile = file('client-key.pem', client.keyPem);

  test('a server is trusted by its authority only, and clients prove themselves', async () => {
    const { url } = await etcds.start({ tls: { ...server, clientCaPem: authority.certPem } });
    await using store = await openEtcdStore({ endpoints: [url], tls: { caFile, certFile, keyFile } });
    await using follower = followStore(store, { after: await store.currentRevision() });
    await follower.reached(await committed(store, creation('/registry/a')));
    const endpoints = [url];
    await assert.rejects(openEtcdStore({ endpoints, tls: { caFile: otherCaFile, certFile, keyFile } }), {
      code: 'Unavailable',
      hint: /certificate/,
    });
    await assert.rejects(openEtcdStore({ endpoints, timeoutMs: 300 }), { code: 'Unavailable' });
    await assert.rejects(openEtcdStore({ endpoints, tls: { caFile }, timeoutMs: 300 }), { code: 'Unavailable' });
  });

  test('a password opens, a wrong one or none is refused without a word of it', async () => {
    const etcd = await etcds.start({ tls: server, auth: { rootPassword: 'correct horse' }, args: ['--auth-token-ttl', '1'] });
    const common = { endpoints: [etcd.url], tls: { caFile } };
    await using store = await openEtcdStore({ ...common, credentials: { user: 'root', password: 'correct horse' } });
    const first = await committed(store, creation('/registry/a'));
    await using follower = followStore(store, { after: first });
    // A new server knows none of the old tokens.
    await etcd.kill();
    await etcd.start();
    await follower.reached(await committed(store, { key: '/registry/a', expect: first, value: bytes('2') }));
    assert.equal(follower.events.length, 1);
    const wrong = { ...common, credentials: { user: 'root', password: 'hunter2' } };
    await assert.rejects(openEtcdStore(wrong), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, 'Unavailable');
      assert.match(error.message, /invalid user ID or password/);
      assert.match(error.hint, /password/);
      assert.doesNotMatch(`${error.message} ${error.hint} ${error.stack}`, /hunter2/);
      return true;
    });
    await assert.rejects(openEtcdStore(common), { code: 'Unavailable', hint: /password/ });
  });

  test('credentials for an etcd that asks for none do no harm, nor does a dead member among the endpoints', async () => {
    const { host } = await etcds.start();
    const credentials = { user: 'root', password: 'x' };
    await using store = await openEtcdStore({ endpoints: ['127.0.0.1:1', host], credentials });
    await committed(store, creation('/registry/a'));
  });

  test('an object too large is refused for good, with the limit that it passed', async () => {
    const { host } = await etcds.start({ args: ['--max-request-bytes', '65536'] });
    await using store = await openEtcdStore({ endpoints: [host] });
    // Etcd has a limit of its own, and 512 KiB above it that of gRPC.
    for (const size of [100_000, 1_000_000]) {
      await assert.rejects(write(store, creation('/registry/large', 'x'.repeat(size))), {
        code: 'TooLarge',
        retryable: false,
        hint: /--max-request-bytes/,
      });
    }
    assert.equal(await store.get('/registry/large'), undefined);
  });

  test('of the writes that fill an etcd, each is there or is refused', async () => {
    const { host } = await etcds.start({ args: ['--quota-backend-bytes', String(2 * 1024 * 1024)] });
    await using store = await openEtcdStore({ endpoints: [host] });
    const value = bytes('x'.repeat(40_000));
    const keys = Array.from({ length: 32 }, (_, i) => `/registry/${i}`);
    const revisions = await Promise.all(keys.map((key) => committed(store, creation(key))));
    for (let full = false; !full;) {
      await Promise.all(
        keys.map(async (key, i) => {
          try {
            const outcome = await write(store, { key, expect: revisions[i] ?? 0, value });
            assert.ok(outcome.committed);
            revisions[i] = outcome.revision;
          } catch (error) {
            assert.equal(codeOf(error), 'Full');
            full = true;
          }
        }),
      );
    }
    assert.deepEqual(await Promise.all(keys.map(async (key) => (await store.get(key))?.revision)), revisions);
  });

  test('a full etcd says so and keeps serving reads, and deletions, until it is compacted, defragmented and disarmed', async () => {
    const etcd = await etcds.start({ args: ['--quota-backend-bytes', String(2 * 1024 * 1024)] });
    await using store = await openEtcdStore({ endpoints: [etcd.host] });
    await using follower = followStore(store);
    let newest = await committed(store, creation('/registry/first'));
    const second = await committed(store, creation('/registry/second'));
    const full = { code: 'Full', retryable: false, hint: /compact.*defrag.*--quota-backend-bytes.*alarm disarm/ };
    const update = async (): Promise<void> => {
      newest = await committed(store, { key: '/registry/first', expect: newest, value: bytes('x'.repeat(300_000)) });
    };
    await assert.rejects(async () => {
      // Etcd takes notice of its size about ten times a second.
      for (let i = 0; i < 500; i++) await update();
    }, full);
    assert.equal((await store.get('/registry/first'))?.revision, newest);
    await committed(store, { key: '/registry/second', expect: second, value: null });
    await follower.reached(await store.currentRevision());
    await store.compact(newest);
    await etcd.call('maintenance/defragment', {});
    await assert.rejects(update(), full);
    const { alarms = [] } = (await etcd.call('maintenance/alarm', { action: 'GET' })) as { alarms?: readonly { memberID: string }[] };
    for (const { memberID } of alarms) await etcd.call('maintenance/alarm', { action: 'DEACTIVATE', memberID, alarm: 'NOSPACE' });
    await update();
    await follower.reached(newest);
  });
});
