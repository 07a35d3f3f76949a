import { FakeClock } from '@arc/kernel';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { ReconcileRequest } from './reconcile.ts';
import { WorkQueue } from './work-queue.ts';

const request = (name: string): ReconcileRequest => ({ namespace: 'ns', name });
const a = request('a');
const b = request('b');

test('a waiting request is not added twice, and order is first come, first served', async () => {
  using queue = new WorkQueue({ clock: new FakeClock() });
  for (const one of [b, a, b, a]) queue.add(one);
  assert.equal(queue.depth, 2);
  assert.deepEqual([await queue.take(), await queue.take()], [b, a]);
});

test('a request added while it is worked on comes again when it is done, behind the others', async () => {
  using queue = new WorkQueue({ clock: new FakeClock() });
  queue.add(a);
  await queue.take();
  queue.add(a);
  queue.add(a);
  assert.equal(queue.depth, 0);
  queue.add(b);
  queue.done(a);
  assert.deepEqual([await queue.take(), await queue.take()], [b, a]);
  queue.done(a);
  assert.equal(queue.depth, 0);
});

test('of several delays the earliest counts, and only once', async () => {
  const clock = new FakeClock();
  using queue = new WorkQueue({ clock });
  queue.addAfter(a, 100);
  queue.addAfter(a, 50);
  queue.addAfter(a, 70);
  await clock.advance(49);
  assert.equal(queue.depth, 0);
  await clock.advance(1);
  assert.equal(queue.depth, 1);
  await queue.take();
  queue.done(a);
  await clock.advance(1000);
  assert.equal(queue.depth, 0);
});

test('retries are delayed twice as long each time up to the limit, until forgotten', async () => {
  const clock = new FakeClock();
  using queue = new WorkQueue({ clock, random: () => 1 });
  const delays: number[] = [];
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const before = clock.now();
    queue.addRateLimited(a);
    while (queue.depth === 0) await clock.advance(attempt < 10 ? 5 : 1000);
    delays.push(clock.now() - before);
    await queue.take();
    queue.done(a);
  }
  assert.deepEqual(delays.slice(0, 5), [5, 10, 20, 40, 80]);
  assert.equal(delays.at(-1), 300_000);
  assert.equal(queue.failures(a), 20);
  queue.forget(a);
  assert.equal(queue.failures(a), 0);
});

test('shutting down frees those who wait and leaves no timers', async () => {
  const clock = new FakeClock();
  const queue = new WorkQueue({ clock });
  const waiting = queue.take();
  queue.addAfter(a, 1000);
  queue[Symbol.dispose]();
  assert.equal(await waiting, undefined);
  assert.equal(clock.pendingTimers, 0);
  queue.add(a);
  assert.equal(await queue.take(), undefined);
});

type Step =
  | { readonly do: 'add' | 'retry' | 'later'; readonly name: string; readonly ms: number }
  | { readonly do: 'wait'; readonly ms: number };

const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constantFrom('add' as const, 'retry' as const, 'later' as const),
      name: fc.constantFrom('a', 'b', 'c'),
      ms: fc.integer({ min: 0, max: 50 }),
    }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 30 }) }),
  ) satisfies fc.Arbitrary<Step>,
  { maxLength: 40 },
);

test('every request is worked on after it was added last, and never twice at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.integer({ min: 1, max: 3 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 20 })),
      async (plan, workers, durations) => {
        const clock = new FakeClock(0);
        const queue = new WorkQueue({ clock });
        const addedLast = new Map<string, number>();
        const begunLast = new Map<string, number>();
        const active = new Set<string>();
        let moment = 0;
        let twiceAtOnce = false;
        const work = async (): Promise<void> => {
          for (let next = await queue.take(); next !== undefined; next = await queue.take()) {
            twiceAtOnce ||= active.has(next.name);
            active.add(next.name);
            begunLast.set(next.name, (moment += 1));
            await clock.sleep(durations.next().value ?? 0);
            active.delete(next.name);
            queue.done(next);
          }
        };
        const working = Array.from({ length: workers }, work);
        for (const step of plan) {
          if (step.do === 'wait') {
            await clock.advance(step.ms);
            continue;
          }
          addedLast.set(step.name, (moment += 1));
          if (step.do === 'add') queue.add(request(step.name));
          else if (step.do === 'retry') queue.addRateLimited(request(step.name));
          else queue.addAfter(request(step.name), step.ms);
        }
        await clock.advance(600_000);
        queue[Symbol.dispose]();
        await Promise.all(working);
        assert.equal(twiceAtOnce, false);
        for (const [name, when] of addedLast) assert.ok((begunLast.get(name) ?? 0) > when, `${name} was worked on after it was added`);
        assert.equal(clock.pendingTimers, 0);
      },
    ),
    { numRuns: 200 },
  );
});
