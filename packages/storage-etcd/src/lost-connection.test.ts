import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { codeOf } from '@arc/kernel';
import type { Store } from '@arc/storage';
import { followStore } from '@arc/storage/conformance';
import { eventually, startFaultyProxy } from '@arc/testkit';
import { openEtcdStore } from './etcd-store.ts';
import { bytes, committed, creation, missingEtcd, testEtcds, write } from '../test/etcd.ts';

suite('a connection lost in the middle of a write', { skip: missingEtcd }, async () => {
  if (missingEtcd !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const { host } = await resources.use(testEtcds()).start();
  const proxy = resources.use(await startFaultyProxy({ host: '127.0.0.1', port: Number(host.split(':')[1]) }));
  const direct = resources.use(await openEtcdStore({ endpoints: [host] }));
  const store = resources.use(await openEtcdStore({ endpoints: [proxy.host] }));

  /** The value in the store that is not at `other`, once there is one. */
  const changed = async (key: string, other?: number): Promise<number> =>
    await eventually(
      async () => {
        const revision = (await direct.get(key))?.revision;
        return revision !== other && revision;
      },
      { what: key, intervalMs: 5 },
    );

  test('a creation that happened is acknowledged with its revision', async () => {
    proxy.withhold('client');
    const writing = write(store, creation('/registry/lost/created'));
    const revision = await changed('/registry/lost/created');
    proxy.cut();
    assert.deepEqual(await writing, { committed: true, revision, previous: undefined });
  });

  test('an update that happened is acknowledged even when others have gone on', async () => {
    const key = '/registry/lost/updated';
    const first = await committed(direct, creation(key, '1'));
    proxy.withhold('client');
    const writing = write(store, { key, expect: first, value: bytes('2') });
    const second = await changed(key, first);
    await committed(direct, { key, expect: second, value: bytes('3') });
    proxy.cut();
    assert.deepEqual(await writing, { committed: true, revision: second, previous: { key, revision: first, value: bytes('1') } });
  });

  test('an update that never arrived is made; a creation that another came before may still arrive, which is unknown', async () => {
    const first = await committed(direct, creation('/registry/lost/own', '1'));
    proxy.withhold('server');
    const own = write(store, { key: '/registry/lost/own', expect: first, value: bytes('2') });
    const beaten = write(store, creation('/registry/lost/beaten', 'mine'));
    await committed(direct, creation('/registry/lost/beaten', 'theirs'));
    const unknown = assert.rejects(beaten, { code: 'OutcomeUnknown' });
    proxy.cut();
    await unknown;
    const outcome = await own;
    assert.deepEqual(outcome.committed && outcome.previous, { key: '/registry/lost/own', revision: first, value: bytes('1') });
  });

  test('what nothing tells is unknown, not guessed', async () => {
    const doomed = await committed(direct, creation('/registry/lost/doomed'));
    proxy.withhold('client');
    const deletion = write(store, { key: '/registry/lost/doomed', expect: doomed, value: null });
    const brief = write(store, creation('/registry/lost/brief'));
    await eventually(async () => (await direct.get('/registry/lost/doomed')) === undefined, { what: 'the deletion' });
    await committed(direct, { key: '/registry/lost/brief', expect: await changed('/registry/lost/brief'), value: null });
    proxy.cut();
    const outcomes = await Promise.allSettled([deletion, brief]);
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status === 'rejected' && codeOf(outcome.reason)),
      ['OutcomeUnknown', 'OutcomeUnknown'],
    );
    assert.equal(await direct.get('/registry/lost/brief'), undefined, 'what another deleted is not created again');
  });

  test('time runs out with a clear answer', async () => {
    await using impatient = await openEtcdStore({ endpoints: [proxy.host], timeoutMs: 300 });
    proxy.withhold('client');
    await assert.rejects(write(impatient, creation('/registry/lost/late')), { code: 'OutcomeUnknown' });
    await assert.rejects(impatient.currentRevision(), { code: 'Unavailable', retryable: true });
    proxy.cut();
  });

  test('a clock that is set back meanwhile gives no more time', async (t) => {
    await using impatient = await openEtcdStore({ endpoints: [proxy.host], timeoutMs: 300 });
    proxy.withhold('client');
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const reading = assert.rejects(impatient.currentRevision(), { code: 'Unavailable' });
    const writing = assert.rejects(write(impatient, creation('/registry/lost/clock')), { code: 'OutcomeUnknown' });
    t.mock.timers.setTime(Date.now() - 3_600_000);
    await Promise.all([reading, writing]);
    proxy.cut();
  });

  test('a member that hangs is passed over by calls and feeds', async () => {
    await using patient = await openEtcdStore({ endpoints: [proxy.host, host], timeoutMs: 1_000 });
    await using follower = followStore(patient, { after: await patient.currentRevision() });
    const before = await committed(direct, creation('/registry/hangs/before'));
    await follower.reached(before);
    proxy.withhold('client');
    const own = await committed(patient, creation('/registry/hangs/own'));
    await follower.reached(own);
    assert.deepEqual(
      follower.events.map(({ revision }) => revision),
      [before, own],
    );
    proxy.cut();
  });

  test('a feed that is cut goes on where it was', async () => {
    await using follower = followStore(store, { after: await direct.currentRevision() });
    let newest = 0;
    for (let i = 0; i < 5; i++) {
      newest = await committed(direct, creation(`/registry/cut/${i}`));
      if (i % 2 === 0) await follower.reached(newest);
      proxy.cut();
    }
    await follower.reached(newest);
    assert.deepEqual(
      follower.events.map(({ key }) => key),
      [0, 1, 2, 3, 4].map((i) => `/registry/cut/${i}`),
    );
  });

  test('closing ends what waits', async () => {
    const closing: Store = await openEtcdStore({ endpoints: [proxy.host] });
    proxy.withhold('client');
    const reading = assert.rejects(closing.get('/registry/a'), { code: 'Closed' });
    await closing[Symbol.asyncDispose]();
    await reading;
    proxy.cut();
  });
});
