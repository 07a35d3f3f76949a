import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { followStore } from '@arc/storage/conformance';
import { startFaultyProxy } from '@arc/testkit';
import { openEtcdStore, type EtcdStoreOptions } from './etcd-store.ts';
import { bytes, committed, creation, missingEtcd, testEtcds } from '../test/etcd.ts';

suite('an etcd that asks who one is', { skip: missingEtcd }, async () => {
  if (missingEtcd !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const etcds = resources.use(testEtcds());
  const etcd = await etcds.start({ auth: { rootPassword: 'correct horse' }, args: ['--bcrypt-cost', '4'] });
  const root = { endpoints: [etcd.host], credentials: { user: 'root', password: 'correct horse' } };
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  /** Adds a user that may do so much with every key that begins with `prefix`. */
  async function user(name: string, permType?: 'READ' | 'READWRITE', prefix = '/registry/'): Promise<EtcdStoreOptions> {
    await etcd.call('auth/user/add', { name, password: name });
    if (permType !== undefined) {
      const end = prefix.replace(/\/$/, '0');
      await etcd.call('auth/role/add', { name });
      await etcd.call('auth/role/grant', { name, perm: { permType, key: base64(prefix), range_end: base64(end) } });
      await etcd.call('auth/user/grant', { user: name, role: name });
    }
    return { endpoints: [etcd.host], credentials: { user: name, password: name } };
  }

  test('needs no more of a user than to read and write the prefix', async () => {
    await using store = await openEtcdStore(await user('enough', 'READWRITE'));
    await using follower = followStore(store, { after: await store.currentRevision() });
    const first = await committed(store, creation('/registry/enough'));
    await committed(store, { key: '/registry/enough', expect: first, value: bytes('2') });
    const gone = await committed(store, creation('/registry/gone'));
    const newest = await committed(store, { key: '/registry/gone', expect: gone, value: null });
    await follower.reached(newest);
    await store.compact(first);
    assert.equal(await store.compactedRevision(), first);
  });

  test('refuses a user who may do less at the start, with the command that mends it', async () => {
    const denied = {
      code: 'Unavailable',
      message: /permission denied/,
      hint: /role grant-permission ROLE --prefix=true readwrite PREFIX\//,
    };
    await assert.rejects(openEtcdStore(await user('nobody')), denied);
    await assert.rejects(openEtcdStore(await user('elsewhere', 'READWRITE', '/elsewhere/')), denied);
    await assert.rejects(openEtcdStore(await user('one-group', 'READWRITE', '/registry/core/')), denied);
    const reader = await user('reader', 'READ');
    await assert.rejects(openEtcdStore(reader), denied);
    await using store = await openEtcdStore({ ...reader, readOnly: true });
    await store.range({ prefix: '/registry/' });
    await assert.rejects(committed(store, creation('/registry/reader')), denied);
  });

  test('is logged in to again when it has forgotten the token: by reads, writes and feeds', async () => {
    const proxy = resources.use(await startFaultyProxy({ host: '127.0.0.1', port: Number(etcd.host.split(':')[1]) }));
    const options = await user('forgotten', 'READWRITE');
    await using direct = await openEtcdStore(root);
    await using store = await openEtcdStore({ ...options, endpoints: [proxy.host] });
    /** Ends every token of the user, as running out does. */
    const forget = () => etcd.call('auth/user/changepw', { name: 'forgotten', password: 'forgotten' });
    await using follower = followStore(store, { after: await store.currentRevision() });
    await follower.reached(await committed(store, creation('/registry/before')));
    await forget();
    const many = Array.from({ length: 50 }, (_, i) => creation(`/registry/many/${i}`));
    assert.ok((await store.commit(many)).every((outcome) => outcome.committed));
    await forget();
    assert.equal((await store.range({ prefix: '/registry/many/' })).items.length, 50);
    await forget();
    // Nothing but the feed uses the store now.
    proxy.cut();
    await follower.reached(await committed(direct, creation('/registry/after')));
    assert.equal(follower.events.length, 52);
  });

  test('takes a password that was changed under a running server', async () => {
    const options = await user('changing', 'READWRITE');
    let current = 'changing';
    await using store = await openEtcdStore({ ...options, credentials: { user: 'changing', password: async () => current } });
    await etcd.call('auth/user/changepw', { name: 'changing', password: 'battery staple' });
    await assert.rejects(store.get('/registry/a'), { code: 'Unavailable', message: /invalid user ID or password/, hint: /password/ });
    current = 'battery staple';
    await committed(store, creation('/registry/changed'));
  });

  test('is logged in to again when its tokens are signed, and rights have changed since', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const [pub, priv] = [join(etcds.folder, 'jwt.pem'), join(etcds.folder, 'jwt-key.pem')];
    writeFileSync(pub, publicKey.export({ type: 'spki', format: 'pem' }));
    writeFileSync(priv, privateKey.export({ type: 'pkcs1', format: 'pem' }));
    const args = ['--bcrypt-cost', '4', '--auth-token', `jwt,pub-key=${pub},priv-key=${priv},sign-method=RS256,ttl=5m`];
    const signing = await etcds.start({ auth: { rootPassword: 'correct horse' }, args });
    const proxy = resources.use(await startFaultyProxy({ host: '127.0.0.1', port: Number(signing.host.split(':')[1]) }));
    await using direct = await openEtcdStore({ ...root, endpoints: [signing.host] });
    await using store = await openEtcdStore({ ...root, endpoints: [proxy.host] });
    await using follower = followStore(store, { after: await store.currentRevision() });
    await follower.reached(await committed(store, creation('/registry/before')));
    await signing.call('auth/role/add', { name: 'another' });
    await committed(store, creation('/registry/write'));
    await signing.call('auth/role/delete', { role: 'another' });
    assert.ok((await store.get('/registry/write')) !== undefined);
    await signing.call('auth/role/add', { name: 'another' });
    proxy.cut();
    await follower.reached(await committed(direct, creation('/registry/after')));
    assert.equal(follower.events.length, 3);
  });

  test('may begin to ask while a server runs', async () => {
    const open = await etcds.start();
    await using store = await openEtcdStore({ ...root, endpoints: [open.host] });
    await committed(store, creation('/registry/before'));
    await open.call('auth/user/add', { name: 'root', password: 'correct horse' });
    await open.call('auth/role/add', { name: 'root' });
    await open.call('auth/user/grant', { user: 'root', role: 'root' });
    await open.call('auth/enable', {});
    await committed(store, creation('/registry/after'));
  });
});
