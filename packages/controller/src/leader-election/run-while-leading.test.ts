import { FakeClock, whenAborted } from '@arc/kernel';
import { createFakeClient } from '@arc/kube-client/fake';
import type { FakeClient } from '@arc/kube-client/fake';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from './lease-record.ts';
import type { Lease } from './lease-record.ts';
import { isLeaseLost, runWhileLeading } from './run-while-leading.ts';
import type { Lead, LeaderElectionOptions } from './run-while-leading.ts';

const ref = { namespace: 'kube-system', name: 'controllers' };

interface Contender {
  readonly stop: AbortController;
  readonly done: Promise<void>;
  /** What happened, in order. */
  readonly story: string[];
  readonly tenures: string[];
}

function contend(
  client: FakeClient,
  identity: string,
  clock: FakeClock,
  { lead, ...options }: Partial<LeaderElectionOptions> & { lead?: Lead } = {},
): Contender {
  const stop = new AbortController();
  const story: string[] = [];
  const tenures: string[] = [];
  const done = runWhileLeading(
    { client, lease: ref, identity },
    async (signal, tenure) => {
      story.push('leads');
      tenures.push(tenure);
      await (lead?.(signal, tenure) ?? whenAborted(signal));
      story.push(isLeaseLost(signal.reason) ? 'lost' : 'stopped');
    },
    { signal: stop.signal, clock, random: () => 0.5, onFollowing: (holder) => story.push(`follows ${holder}`), ...options },
  );
  done.catch(() => {});
  return { stop, done, story, tenures };
}

const specOf = (client: FakeClient): NonNullable<Lease['spec']> => client.peek<Lease>(leases, ref)?.spec ?? {};

/** The server is away for everybody, or for the candidate a test names. */
function outage(client: FakeClient): Disposable {
  return client.onRequest(() => {
    throw new Error('connection refused');
  });
}

test('the first leads at once and renews every two seconds; the second follows and asks for no more than that', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const a = contend(client, 'a', clock);
  await clock.advance(0);
  assert.deepEqual(a.story, ['leads']);
  assert.deepEqual(specOf(client), {
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:00.000000Z',
    leaseTransitions: 0,
  });
  const b = contend(client, 'b', clock);
  await clock.advance(60_000);
  assert.deepEqual([a.story, b.story], [['leads'], ['follows a']]);
  assert.equal(specOf(client).renewTime, '2026-01-01T00:01:00.000000Z');
  assert.equal(specOf(client).acquireTime, '2026-01-01T00:00:00.000000Z');
  const of = (verb: string): number => client.requests.filter((request) => request.verb === verb).length;
  assert.deepEqual([of('create'), of('update'), of('get')], [1, 30, 1 + 27]);
  a.stop.abort();
  b.stop.abort();
  await Promise.all([a.done, b.done]);
  assert.equal(clock.pendingTimers, 0);
});

test('a leader that stops is renewed until its work has ended, then releases, and the next one follows within its next look', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const a = contend(client, 'a', clock, {
    lead: async (signal) => {
      await whenAborted(signal);
      await clock.sleep(60_000);
    },
  });
  await clock.advance(0);
  const b = contend(client, 'b', clock);
  await clock.advance(10_000);
  a.stop.abort();
  await clock.advance(59_999);
  assert.deepEqual(b.story, ['follows a'], 'not while the work of the other goes on');
  await clock.advance(2500);
  assert.deepEqual(
    [a.story, b.story],
    [
      ['leads', 'stopped'],
      ['follows a', 'leads'],
    ],
  );
  assert.equal(specOf(client).leaseTransitions, 1);
  b.stop.abort();
  await Promise.all([a.done, b.done]);
  assert.equal(specOf(client).holderIdentity, '');
});

test('the lease of one that vanished runs out by the clock of who waits, whatever the time of day says', async () => {
  const clock = new FakeClock();
  const other = new FakeClock(Date.parse('2001-01-01T00:00:00Z'));
  const client = createFakeClient({ clock });
  const a = contend(client, 'a', clock);
  await clock.advance(0);
  const b = contend(client, 'b', other);
  await other.advance(14_999);
  assert.deepEqual(b.story, ['follows a']);
  await other.advance(501);
  assert.deepEqual(b.story, ['follows a', 'leads'], 'not a whole look later');
  await clock.advance(2000);
  assert.deepEqual(a.story, ['leads', 'lost', 'follows b']);
  a.stop.abort();
  b.stop.abort();
  await Promise.all([a.done, b.done]);
});

test('one that starts again with its old identity leads at once, in the same tenure', async () => {
  const clock = new FakeClock();
  const dead = new FakeClock();
  const client = createFakeClient({ clock });
  const before = contend(client, 'a', dead);
  await clock.advance(0);
  assert.deepEqual(before.story, ['leads']);
  const after = contend(client, 'a', clock);
  await clock.advance(0);
  assert.deepEqual(after.story, ['leads']);
  assert.deepEqual(after.tenures, before.tenures);
  assert.equal(specOf(client).leaseTransitions, 0);
  after.stop.abort();
  await after.done;
  const later = contend(client, 'a', clock);
  await clock.advance(0);
  assert.notDeepEqual(later.tenures, before.tenures, 'it had let go of the lease');
  later.stop.abort();
  before.stop.abort();
  await later.done;
});

test('a leader that cannot renew stops after ten seconds, and goes on in its tenure when nobody else has led meanwhile', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const a = contend(client, 'a', clock);
  await clock.advance(0);
  const b = contend(client, 'b', clock);
  await clock.advance(20_000);
  {
    using _away = outage(client);
    await clock.advance(9999);
    assert.deepEqual(a.story, ['leads']);
    await clock.advance(1);
    assert.deepEqual(a.story, ['leads', 'lost']);
    await clock.advance(60_000);
  }
  await clock.advance(20_000);
  assert.deepEqual([a.story, b.story], [['leads', 'lost', 'leads'], ['follows a']], 'who led before comes first after an outage for all');
  assert.equal(a.tenures[0], a.tenures[1]);
  a.stop.abort();
  b.stop.abort();
  await Promise.all([a.done, b.done]);
});

test('after an outage that the leader did not survive another leads', async () => {
  const clock = new FakeClock();
  const dead = new FakeClock();
  const client = createFakeClient({ clock });
  const a = contend(client, 'a', dead);
  await clock.advance(0);
  const b = contend(client, 'b', clock);
  await clock.advance(1000);
  {
    using _away = outage(client);
    await clock.advance(60_000);
  }
  await clock.advance(12_000);
  assert.deepEqual(b.story, ['follows a', 'leads']);
  a.stop.abort();
  b.stop.abort();
  await b.done;
});

test('requests that never end are given up', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  let hang = 0;
  using _slow = client.onRequest(async (request) => {
    if (request.verb !== 'get' && hang-- > 0) await new Promise(() => {});
  });
  hang = 1;
  const a = contend(client, 'a', clock);
  await clock.advance(5000);
  assert.deepEqual(a.story, []);
  await clock.advance(2250);
  assert.deepEqual(a.story, ['leads']);
  hang = 1000;
  await clock.advance(10_000);
  assert.deepEqual(a.story, ['leads', 'lost']);
  a.stop.abort();
  await a.done;
  assert.equal(clock.pendingTimers, 0);
});

test('what is led may end by itself, or fail: the lease is released both times', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const a = contend(client, 'a', clock, { lead: () => clock.sleep(3000) });
  await clock.advance(3000);
  await a.done;
  assert.equal(specOf(client).holderIdentity, '');
  const b = contend(client, 'b', clock, { lead: () => Promise.reject(new Error('the engine is broken')) });
  await clock.advance(0);
  await assert.rejects(b.done, /the engine is broken/);
  assert.equal(specOf(client).holderIdentity, '');
  assert.equal(clock.pendingTimers, 0);
});

test('a Lease that is deleted ends the tenure of its holder, and nobody who saw it takes it over before it had run out', async () => {
  const clock = new FakeClock();
  const dead = new FakeClock();
  const client = createFakeClient({ clock });
  const a = contend(client, 'a', dead);
  await clock.advance(0);
  const b = contend(client, 'b', clock);
  await clock.advance(5000);
  await client.delete(leases, ref);
  await clock.advance(9999);
  assert.deepEqual(b.story, ['follows a']);
  await clock.advance(501);
  assert.deepEqual(b.story, ['follows a', 'leads']);
  await client.delete(leases, ref);
  await clock.advance(2000);
  assert.deepEqual(b.story, ['follows a', 'leads', 'lost', 'leads']);
  assert.notEqual(b.tenures[0], b.tenures[1]);
  a.stop.abort();
  b.stop.abort();
  await b.done;
});

test('a lease that would run out while it is renewed is refused', async () => {
  const client = createFakeClient();
  const candidate = { client, lease: ref, identity: 'a' };
  for (const timing of [{ leaseMs: 10_000 }, { renewDeadlineMs: 2500 }, { retryMs: 0 }]) {
    const running = runWhileLeading(candidate, whenAborted, { signal: AbortSignal.abort(), timing });
    await assert.rejects(running, { code: 'InvalidConfiguration' });
  }
});
