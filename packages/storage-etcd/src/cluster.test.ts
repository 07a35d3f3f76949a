import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { after, suite, test, type TestContext } from 'node:test';
import type { Store } from '@arc/storage';
import { brokenWatchRules, contradictions, followStore, recordHistory } from '@arc/storage/conformance';
import { eventually, findProgram, startEtcdCluster, type EtcdServer } from '@arc/testkit';
import { openEtcdStore } from './etcd-store.ts';
import { committed, creation, missingEtcd, testEtcds, write } from '../test/etcd.ts';

suite('an etcd of three members', { skip: missingEtcd }, async () => {
  if (missingEtcd !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const { folder } = resources.use(testEtcds());
  const { members } = resources.use(await startEtcdCluster(findProgram('etcd') ?? '', join(folder, 'cluster')));
  const hosts = members.map(({ host }) => host);
  /** Each begins with another member. */
  const stores: Store[] = [];
  for (const shift of members.keys()) {
    const endpoints = [...hosts.slice(shift), ...hosts.slice(0, shift)];
    stores.push(resources.use(await openEtcdStore({ endpoints, timeoutMs: 3_000 })));
  }
  const [store = never(), other = never()] = stores;

  function never(): never {
    throw new Error('there are three stores');
  }

  const leader = async (): Promise<EtcdServer> =>
    await eventually(
      async () => {
        const leading = await Promise.all(members.map((member) => member.isLeader().catch(() => false)));
        return members[leading.indexOf(true)];
      },
      { what: 'a leader' },
    );

  /** Does something to the members under the load of random operations, then checks every answer and what followers were told. */
  async function underLoad(t: TestContext, fault: (progress: () => Promise<void>) => Promise<void>): Promise<void> {
    const seed = randomInt(2 ** 31);
    t.diagnostic(`seed ${seed}`);
    await using followings = new AsyncDisposableStack();
    const start = await other.currentRevision();
    const feeds = stores.map((each) => followings.use(followStore(each, { after: start })));
    const [feed] = feeds;
    const stop = new AbortController();
    const keys = Array.from({ length: 20 }, (_, i) => `/registry/${seed}/${i}`);
    const recording = recordHistory(stores, { operations: Infinity, clients: 4, keys, seed, faults: true, signal: stop.signal });
    await fault(async () => {
      const wanted = (feed?.events.length ?? 0) + 100;
      const enough = eventually(() => (feed?.events.length ?? 0) >= wanted, { what: '100 more changes', intervalMs: 10 });
      await Promise.race([enough, recording]);
    });
    stop.abort();
    const recorded = await recording;
    const newest = await other.currentRevision();
    for (const { reached, batches, events } of feeds) {
      await reached(newest);
      assert.deepEqual(brokenWatchRules(batches).slice(0, 5), [], `seed ${seed}`);
      assert.deepEqual(contradictions(recorded, events, { gapFree: false }).slice(0, 5), [], `seed ${seed}`);
    }
    const outcomes = Object.entries(
      Object.groupBy(
        recorded.filter((operation) => operation.kind === 'write'),
        ({ outcome }) => outcome,
      ),
    );
    t.diagnostic(outcomes.map(([outcome, writes]) => `${writes.length} ${outcome}`).join(', '));
  }

  test('that loses its leader, then the member a store is connected to, loses and doubles nothing', (t) =>
    underLoad(t, async (progress) => {
      await progress();
      for (const member of [await leader(), ...members.slice(0, 1)]) {
        await member.kill();
        await progress();
        await member.start();
        await progress();
      }
    }));

  test('whose leader hangs goes on without it, and with it when it comes back', (t) =>
    underLoad(t, async (progress) => {
      await progress();
      const member = await leader();
      member.pause();
      await progress();
      member.resume();
      await progress();
    }));

  test('that has lost two members is unavailable, and goes on when they are back', async (t) => {
    const [dead, hanging] = members.slice(1);
    await underLoad(t, async (progress) => {
      await progress();
      await dead?.kill();
      hanging?.pause();
      await Promise.all([
        assert.rejects(store.currentRevision(), { code: 'Unavailable', retryable: true, hint: /most of its members/ }),
        assert.rejects(store.get('/registry/a'), { code: 'Unavailable' }),
        assert.rejects(write(store, { key: '/registry/a', expect: 1, value: null }), { code: /Unavailable|OutcomeUnknown/ }),
      ]);
      hanging?.resume();
      await dead?.start();
      await progress();
    });
    await committed(store, creation('/registry/after'));
  });
});
