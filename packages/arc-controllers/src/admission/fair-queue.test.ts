import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FairQueue } from './fair-queue.ts';
import type { FairQueueOptions } from './fair-queue.ts';
import type { Job, Quota } from './job.ts';
import { DecayedUsage } from './usage.ts';

function job(namespace: string, name: string | number, extra: Partial<Job> = {}): Job {
  return { key: `${namespace}/${name}`, namespace, endpoints: [], priority: 0, since: 0, ...extra };
}

function admitAll(queue: FairQueue, now = 0): string[] {
  const admitted: string[] = [];
  for (let next = queue.admit(now); next !== undefined; next = queue.admit(now)) admitted.push(next.key);
  return admitted;
}

function queueOf(options: Partial<FairQueueOptions>, jobs: readonly Job[] = []): FairQueue {
  const queue = new FairQueue({ maxActive: 4, ...options });
  for (const one of jobs) queue.enqueue(one, 0);
  return queue;
}

test('free slots are shared, however many one namespace asks for and however early', () => {
  const greedy = Array.from({ length: 100 }, (_, index) => job('greedy', index, { since: index }));
  const queue = queueOf({}, [...greedy, job('modest', 1, { since: 1000 }), job('modest', 2, { since: 1001 })]);
  assert.deepEqual(admitAll(queue).sort(), ['greedy/0', 'greedy/1', 'modest/1', 'modest/2']);
});

test('what was used in the recent past counts, and is forgotten', () => {
  const usage = new DecayedUsage(1000, 0);
  usage.change(1, 0);
  usage.change(1, 0);
  assert.equal(usage.average(1000), 1);
  usage.change(-1, 1000);
  usage.change(-1, 1000);
  assert.equal(usage.average(2000), 0.5);
  assert.ok(usage.average(100_000) < 1e-6);
  assert.equal(usage.average(-5000), 1, 'a clock that goes back changes nothing');

  const queue = new FairQueue({ maxActive: 1, halfLifeMs: 1000 });
  queue.activate(job('a', 0), 0);
  queue.release('a/0', 5000);
  queue.enqueue(job('a', 1, { since: 0 }), 5000);
  queue.enqueue(job('b', 1, { since: 4000 }), 5000);
  assert.equal(queue.admit(5000)?.key, 'b/1');
});

test('within a namespace priority goes first, waiting raises it, then first come, first served', () => {
  const jobs = [
    job('a', 'old', { since: 0 }),
    job('a', 'new', { since: 10_000 }),
    job('a', 'urgent', { since: 20_000, priority: 1 }),
    job('a', 'late-urgent', { since: 40_000, priority: 1 }),
  ];
  const queue = queueOf({ maxActive: 9, ageingMs: 30_000 }, jobs);
  assert.deepEqual(admitAll(queue), ['a/urgent', 'a/old', 'a/late-urgent', 'a/new']);
});

test('the priority of one namespace takes nothing from another', () => {
  const jobs = Array.from({ length: 10 }, (_, index) => job('loud', index, { priority: 1_000_000 }));
  const queue = queueOf({ maxActive: 2 }, [...jobs, job('calm', 1, { since: 99 })]);
  assert.deepEqual(admitAll(queue).sort(), ['calm/1', 'loud/0']);
});

test('caps of namespaces and Endpoints hold, keep nobody else waiting, and are told', () => {
  const limits: Record<string, number> = { 'a/slow': 1 };
  const queue = queueOf(
    { maxActive: 3, quotaOf: (name) => (name === 'b' ? { maxActive: 1 } : {}), endpointLimit: (name) => limits[name] },
    [
      job('a', 1, { endpoints: ['a/slow', 'a/x'] }),
      job('a', 2, { endpoints: ['a/slow', 'a/slow'] }),
      job('a', 3, { since: 5, endpoints: ['a/x'] }),
      job('b', 1),
      job('b', 2),
      job('c', 1, { since: 9 }),
      job('c', 2, { since: 9 }),
    ],
  );
  assert.deepEqual(admitAll(queue).sort(), ['a/1', 'b/1', 'c/1']);
  assert.deepEqual(queue.reason('a/2'), { kind: 'endpoint', endpoint: 'a/slow', active: 1, limit: 1 });
  assert.deepEqual(queue.reason('b/2'), { kind: 'namespace', active: 1, limit: 1 });
  assert.deepEqual(queue.reason('c/2'), { kind: 'total', active: 3, limit: 3 });
  queue.release('c/1', 0);
  assert.deepEqual(queue.reason('c/2'), { kind: 'turn' });
  assert.deepEqual(admitAll(queue), ['c/2']);
  queue.release('c/2', 0);
  assert.deepEqual(admitAll(queue), ['a/3'], 'one that has to wait for its Endpoint does not hold up its namespace');
  queue.release('a/1', 0);
  assert.deepEqual(admitAll(queue), ['a/2']);
  assert.deepEqual([queue.reason('a/2'), queue.position('a/2')], [undefined, undefined]);
});

test('positions count those before in the own namespace and the share of others', () => {
  const queue = queueOf({ maxActive: 1 }, [
    ...Array.from({ length: 5 }, (_, index) => job('a', index, { since: index })),
    ...Array.from({ length: 2 }, (_, index) => job('b', index, { since: index })),
  ]);
  assert.deepEqual(
    ['a/0', 'a/1', 'a/4', 'b/0'].map((key) => queue.position(key)),
    [2, 4, 7, 2],
  );
  queue.enqueue(job('a', 4, { since: 4, priority: 5 }), 0);
  assert.equal(queue.position('a/4'), 2);
  assert.equal(queue.waiting, 7, 'queued once');
  assert.deepEqual([...queue.lines()].map(([first]) => first).sort(), ['a/4', 'b/0']);
});

interface Load {
  readonly weights: readonly number[];
  readonly maxActive: number;
  readonly durations: readonly number[];
}

const loads: fc.Arbitrary<Load> = fc.record({
  weights: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }),
  maxActive: fc.integer({ min: 1, max: 12 }),
  durations: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 200, maxLength: 200 }),
});

/**
 * Lets namespaces that always have more to do compete; returns how much slot time each got. Runs are short against the
 * half-life: usage that is forgotten within one run cannot be balanced.
 */
function compete({ weights, maxActive, durations }: Load, seconds: number): { readonly used: number[]; readonly longestWait: number } {
  const queue = new FairQueue({ maxActive, halfLifeMs: 600_000, quotaOf: (name) => ({ weight: weights[Number(name)] }) });
  const used = weights.map(() => 0);
  const ends = new Map<string, number>();
  const waitingSince = new Map<string, number>();
  let made = 0;
  let longestWait = 0;
  for (let second = 0; second < seconds; second++) {
    const now = second * 1000;
    for (const [key, end] of ends) {
      if (end > second) continue;
      ends.delete(key);
      queue.release(key, now);
    }
    for (const namespace of weights.keys()) {
      for (let spare = [...waitingSince.keys()].filter((key) => key.startsWith(`${namespace}/`)).length; spare < maxActive; spare++) {
        const next = job(String(namespace), made++, { since: now });
        waitingSince.set(next.key, second);
        queue.enqueue(next, now);
      }
    }
    for (let next = queue.admit(now); next !== undefined; next = queue.admit(now)) {
      longestWait = Math.max(longestWait, second - (waitingSince.get(next.key) ?? second));
      waitingSince.delete(next.key);
      ends.set(next.key, second + (durations[made++ % durations.length] ?? 1));
    }
    assert.equal(queue.active, maxActive, 'no slot stays free while somebody waits');
    for (const key of ends.keys()) used[Number(key.split('/')[0])] = (used[Number(key.split('/')[0])] ?? 0) + 1;
  }
  return { used, longestWait };
}

test('over time, each namespace gets the share of its weight', () => {
  fc.assert(
    fc.property(loads, (load) => {
      const seconds = 4000;
      const { used, longestWait } = compete(load, seconds);
      const total = load.weights.reduce((sum, weight) => sum + weight, 0);
      for (const [index, weight] of load.weights.entries()) {
        const share = (used[index] ?? 0) / (load.maxActive * seconds);
        assert.ok(Math.abs(share - weight / total) < 0.05, `share ${share} for ${weight} of ${total}: ${JSON.stringify(load)}`);
      }
      assert.ok(longestWait < seconds / 2, `somebody waited ${longestWait} s`);
    }),
    { numRuns: 15 },
  );
});

test('whatever happens, limits hold, nothing is lost and everybody gets a turn', () => {
  const event = fc.record({
    namespace: fc.integer({ min: 0, max: 3 }),
    endpoints: fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { maxLength: 2 }),
    priority: fc.integer({ min: -200, max: 200 }),
    action: fc.constantFrom('enqueue', 'enqueue', 'release', 'cancel', 'again'),
    pick: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 120 }), fc.integer({ min: 1, max: 4 }), (events, maxActive) => {
      const endpointLimit = (name: string): number | undefined => ({ x: 1, y: 2 })[name];
      const quotaOf = (name: string): Quota => (name === '0' ? { maxActive: 1 } : {});
      const queue = new FairQueue({ maxActive, endpointLimit, patienceMs: Number.POSITIVE_INFINITY, quotaOf });
      const jobs = new Map<string, Job>();
      const active = new Set<string>();
      const waiting = new Set<string>();
      let now = 0;
      const grant = (): void => {
        for (let next = queue.admit(now); next !== undefined; next = queue.admit(now)) {
          assert.ok(waiting.delete(next.key), 'admitted what waited, once');
          active.add(next.key);
        }
        const inUse = [...active].map((key) => jobs.get(key));
        assert.ok(active.size <= maxActive);
        assert.ok(inUse.filter((one) => one?.namespace === '0').length <= 1);
        for (const [name, limit] of [['x', 1] as const, ['y', 2] as const]) {
          assert.ok(inUse.filter((one) => one?.endpoints.includes(name)).length <= limit);
        }
        for (const key of waiting) {
          assert.notEqual(queue.reason(key)?.kind, 'turn', 'nobody waits who could start');
          const position = queue.position(key) ?? 0;
          assert.ok(position >= 1 && position <= waiting.size);
        }
      };
      for (const [index, { namespace, endpoints, priority, action, pick }] of events.entries()) {
        now += 1000;
        const from = action === 'release' ? [...active] : [...waiting];
        const key = from[pick % Math.max(1, from.length)];
        if (action === 'enqueue') {
          const one = job(String(namespace), index, { endpoints, priority, since: now });
          jobs.set(one.key, one);
          waiting.add(one.key);
          queue.enqueue(one, now);
        } else if (key !== undefined && action === 'again') {
          queue.enqueue({ ...(jobs.get(key) ?? job('x', 0)), priority }, now);
        } else if (key !== undefined) {
          active.delete(key);
          waiting.delete(key);
          queue.release(key, now);
        }
        grant();
      }
      for (let round = 0; round < events.length && active.size > 0; round++) {
        now += 1000;
        for (const key of [...active]) {
          active.delete(key);
          queue.release(key, now);
        }
        grant();
      }
      assert.deepEqual([waiting.size, queue.waiting, queue.active], [0, 0, 0]);
    }),
  );
});

test('a low priority is not starved by an endless stream of high ones', () => {
  const queue = new FairQueue({ maxActive: 1, ageingMs: 1000 });
  queue.enqueue(job('a', 'patient', { since: 0, priority: -5 }), 0);
  for (let second = 0; second < 200; second++) {
    const now = second * 1000;
    queue.enqueue(job('a', `urgent-${second}`, { since: now, priority: 90 }), now);
    const next = queue.admit(now);
    if (next?.key === 'a/patient') return;
    queue.release(next?.key ?? '', now);
  }
  assert.fail('it never had its turn');
});

interface Streams {
  readonly limits: Readonly<Record<string, number>>;
  readonly durations: readonly number[];
}

/** Lets one run that needs two Endpoints compete with streams of later ones that need one of them, or none; true if it had its turn. */
function hasTurn({ limits, durations }: Streams, patienceMs: number, seconds: number): boolean {
  const queue = new FairQueue({ maxActive: 10, patienceMs, endpointLimit: (name) => limits[name] });
  const ends = new Map<string, number>();
  let made = 0;
  const isAdmitted = (second: number): boolean => {
    for (let next = queue.admit(second * 1000); next !== undefined; next = queue.admit(second * 1000)) {
      if (next.key === 'a/both') return true;
      ends.set(next.key, second + (durations[made++ % durations.length] ?? 1));
    }
    return false;
  };
  for (let second = 0; second <= seconds; second++) {
    const now = second * 1000;
    if (second === 5) queue.enqueue(job('a', 'both', { since: now, endpoints: ['x', 'y'] }), now);
    for (const name of ['x', 'y', 'z']) {
      queue.enqueue(job('a', `${name}${made++}`, { since: now, priority: -100, endpoints: [name] }), now);
    }
    for (const [key, end] of ends) {
      if (end > second) continue;
      ends.delete(key);
      queue.release(key, now);
      // One after the other, or several places would become free at once by luck.
      if (isAdmitted(second)) return true;
    }
    if (isAdmitted(second)) return true;
  }
  return false;
}

test('who needs places at two Endpoints gets them, though others take one or the other all the time', () => {
  const limit = fc.integer({ min: 1, max: 3 });
  const streams = fc.record({
    limits: fc.record({ x: limit, y: limit }),
    durations: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 50, maxLength: 50 }),
  });
  fc.assert(
    fc.property(streams, (load) => {
      assert.ok(hasTurn(load, 60_000, 5 + 60 + 2 * Math.max(...load.durations)), 'it never had its turn');
    }),
  );
  const alternating = { limits: { x: 1, y: 1 }, durations: [3, 4, 5] };
  assert.equal(hasTurn(alternating, Number.POSITIVE_INFINITY, 2000), false, 'without patience running out it would wait for ever');
});
