import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { followStore, storeConformance } from '@arc/storage/conformance';
import { findKine, startKine, type KineServer } from '@arc/testkit';
import { diagnoseEtcd } from './diagnose.ts';
import { openEtcdStore } from './etcd-store.ts';
import { openEtcdImport } from './import-target.ts';
import { bytes, committed, creation, write } from '../test/etcd.ts';
import { openShared } from '../test/open-shared.ts';

const program = findKine();

if (program === undefined) {
  test('the etcd store conforms over kine', { skip: 'no kine on this machine: test/tools/kine/build.sh builds it with Go' });
} else {
  conform(program);
}

function conform(program: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'arc-kine-'));
  const servers: KineServer[] = [];
  const start = async (): Promise<KineServer> => {
    // Tests run one after the other, each with a store of its own.
    await servers.at(-1)?.kill();
    const server = await startKine(program, join(directory, String(servers.length)));
    servers.push(server);
    return server;
  };
  after(async () => {
    await servers.at(-1)?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  storeConformance('the etcd store over kine', {
    gapFree: false,
    sharing: {
      module: new URL('../test/open-shared.ts', import.meta.url),
      addressesOf() {
        const host = servers.at(-1)?.host ?? '';
        return [host, host];
      },
    },
    async open() {
      return await openShared((await start()).host);
    },
  });

  suite('kine, where it is no etcd', () => {
    test('tells what a write replaced, also when that is older than its history', async () => {
      const { host } = await start();
      await using store = await openEtcdStore({ endpoints: [host] });
      const first = await committed(store, creation('/registry/a', '1'));
      const second = await committed(store, creation('/registry/b', '1'));
      await store.compact(second);
      const outcome = await write(store, { key: '/registry/a', expect: first, value: bytes('2') });
      assert.deepEqual(outcome.committed && outcome.previous, { key: '/registry/a', revision: first, value: bytes('1') });
      assert.deepEqual(await write(store, { key: '/registry/none', expect: first, value: null }), { committed: false, current: undefined });
    });

    test('keeps its health check to itself', async () => {
      const { host } = await start();
      await using raw = await openEtcdStore({ endpoints: [host], layout: { storePrefix: '', etcdPrefix: '' } });
      assert.ok((await raw.get('/registry/health')) !== undefined);
      await using store = await openEtcdStore({ endpoints: [host] });
      assert.deepEqual((await store.range({ prefix: '' })).items, []);
      await using follower = followStore(store, { after: 0 });
      await follower.reached(await committed(store, creation('/registry/core/a')));
      assert.deepEqual(
        follower.events.map(({ key }) => key),
        ['/registry/core/a'],
      );
    });

    test('lets a feed advance over what others write beside it', async () => {
      const { host } = await start();
      await using own = await openEtcdStore({ endpoints: [host], layout: { etcdPrefix: '/own' } });
      await using foreign = await openEtcdStore({ endpoints: [host], layout: { etcdPrefix: '/foreign' } });
      await using follower = followStore(own, { after: await own.currentRevision() });
      await committed(foreign, creation('/registry/beside'));
      await follower.reached(await own.currentRevision());
      assert.deepEqual(follower.events, []);
    });

    test('keeps values, revisions and history over kill -9', async () => {
      const server = await start();
      const endpoints = [server.host];
      const first = await (async () => {
        await using store = await openEtcdStore({ endpoints });
        return await committed(store, creation('/registry/kept'));
      })();
      await server.kill();
      await server.start();
      await using store = await openEtcdStore({ endpoints });
      assert.equal(await store.currentRevision(), first);
      await using follower = followStore(store, { after: first - 1 });
      const second = await committed(store, { key: '/registry/kept', expect: first, value: bytes('2') });
      await follower.reached(second);
      assert.deepEqual(
        follower.events.map(({ key, revision }) => [key, revision]),
        [
          ['/registry/kept', first],
          ['/registry/kept', second],
        ],
      );
    });

    test('answers a second creation with its own revision', async () => {
      const { host } = await start();
      await using store = await openEtcdStore({ endpoints: [host] });
      const keys = Array.from({ length: 50 }, (_, i) => `/registry/twice/${i}`);
      for (let round = 0; round < 3; round++) {
        const outcomes = await store.commit(keys.map((key) => creation(key)));
        const { items } = await store.range({ prefix: '/registry/twice/' });
        const revisions = new Map(items.map(({ key, revision }) => [key, revision]));
        for (const [i, outcome] of outcomes.entries()) assert.equal(outcome.committed && outcome.revision, revisions.get(keys[i] ?? ''));
        await store.commit(items.map(({ key, revision }) => ({ key, expect: revision, value: null })));
      }
    });

    test('has no alarms, leader or quota to be diagnosed', async () => {
      const { host } = await start();
      const { members, findings } = await diagnoseEtcd({ endpoints: [host] });
      assert.deepEqual(findings, []);
      assert.equal(members[0]?.clusterId, '0');
    });

    test('cannot be filled, and says so before anything is changed', async () => {
      const { host } = await start();
      await assert.rejects(openEtcdImport({ endpoints: [host] }), {
        code: 'BadDatabase',
        message: /kine cannot be filled/,
        hint: /kubectl/,
      });
    });
  });
}
