import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { FakeClock, whenAborted } from '@arc/kernel';
import type { Clock } from '@arc/kernel';
import type { KubeClient, ObjectRef } from '@arc/kube-client';
import { createFakeClient } from '@arc/kube-client/fake';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isLeaseLost, runWhileLeading } from './run-while-leading.ts';

const lease = { namespace: 'kube-system', name: 'controllers' };
const candidates = 3;

/** A machine's own clock: set to any time of day, fast or slow by up to a tenth, and still once the machine is dead. */
class MachineClock implements Clock {
  readonly #world: FakeClock;
  readonly #rate: number;
  readonly #offset: number;
  isDead = false;

  constructor(world: FakeClock, { rate, offset }: { readonly rate: number; readonly offset: number }) {
    this.#world = world;
    this.#rate = rate;
    this.#offset = offset;
  }

  now(): number {
    return Math.trunc(this.monotonic() + this.#offset);
  }

  monotonic(): number {
    return this.#world.now() * this.#rate;
  }

  after(ms: number, fire: () => void): Disposable {
    return this.#world.after(ms / this.#rate, () => {
      if (!this.isDead) fire();
    });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.after(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = (): void => {
        timer[Symbol.dispose]();
        reject(signal?.reason);
      };
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

interface Network {
  /** A delay of a request or of its answer, milliseconds. */
  delay(): number;
  /** Lost on the way there, or on the way back: it was carried out then. */
  loses(): boolean;
}

/** The API seen over a bad network. A request that its sender has given up may still be carried out, however late. */
function over(network: Network, api: KubeClient, world: FakeClock, isDead: () => boolean): KubeClient {
  async function carry<T>(request: () => Promise<T>): Promise<T> {
    if (isDead()) return await new Promise<T>(() => {});
    await world.sleep(network.delay());
    if (network.loses()) throw new Error('lost on the way there');
    const answer = await request();
    await world.sleep(network.delay());
    if (network.loses()) throw new Error('lost on the way back');
    return isDead() ? await new Promise<T>(() => {}) : answer;
  }
  return {
    ...api,
    get: <T extends KubeObject>(type: ResourceType, ref: ObjectRef) => carry(() => api.get<T>(type, ref)),
    create: <T extends KubeObject>(type: ResourceType, object: T) => carry(() => api.create<T>(type, object)),
    update: <T extends KubeObject>(type: ResourceType, object: T) => carry(() => api.update<T>(type, object)),
  };
}

const machines = fc.array(
  fc.record({ rate: fc.double({ min: 0.9, max: 1.1, noNaN: true }), offset: fc.integer({ min: -1e11, max: 1e11 }) }),
  { minLength: candidates, maxLength: candidates },
);
const events = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 30_000 }),
    machine: fc.integer({ min: 0, max: candidates - 1 }),
    what: fc.constantFrom(
      'kill' as const,
      'stop' as const,
      'start' as const,
      'badNetwork' as const,
      'cut' as const,
      'goodNetwork' as const,
    ),
  }),
  { maxLength: 16 },
);

test('however clocks differ, requests are late or lost and machines die: never two leaders, and one in the end', async () => {
  await fc.assert(
    fc.asyncProperty(machines, events, fc.infiniteStream(fc.nat({ max: 999 })), async (settings, plan, chances) => {
      const chance = (): number => (chances.next().value ?? 0) / 1000;
      const world = new FakeClock(0);
      const api = createFakeClient({ clock: world });
      const quality: ('good' | 'bad' | 'cut')[] = Array.from({ length: candidates }, () => 'good');
      const networkOf = (machine: number): Network => ({
        delay: () => (quality[machine] === 'good' ? chance() * 20 : chance() ** 4 * 25_000),
        loses: () => quality[machine] === 'cut' || (quality[machine] === 'bad' && chance() < 0.2),
      });
      const leading = new Set<object>();
      let most = 0;
      const running: { clock: MachineClock; stop: AbortController; leads: object }[] = [];
      const isRunning = (machine: number): boolean => running[machine] !== undefined && !running[machine].clock.isDead;

      const start = (machine: number): void => {
        const setting = settings[machine];
        if (setting === undefined) return;
        const clock = new MachineClock(world, setting);
        const stop = new AbortController();
        const leads = {};
        const client = over(networkOf(machine), api, world, () => clock.isDead);
        running[machine] = { clock, stop, leads };
        void runWhileLeading(
          { client, lease, identity: `machine-${machine}` },
          async (signal) => {
            if (clock.isDead) return await new Promise<void>(() => {});
            if (!signal.aborted) leading.add(leads);
            most = Math.max(most, leading.size);
            await whenAborted(signal);
            // Told to end while it has the lease, it takes its time.
            if (!isLeaseLost(signal.reason)) await clock.sleep(chance() * 1000);
            leading.delete(leads);
          },
          { signal: stop.signal, clock, random: chance },
        );
      };
      const kill = (machine: number): void => {
        const victim = running[machine];
        if (victim === undefined) return;
        victim.clock.isDead = true;
        leading.delete(victim.leads);
      };

      for (let machine = 0; machine < candidates; machine++) start(machine);
      for (const { afterMs, machine, what } of plan) {
        await world.advance(afterMs);
        if (what === 'kill') kill(machine);
        else if (what === 'stop') running[machine]?.stop.abort();
        else if (what === 'start') {
          // A machine runs one process at a time.
          kill(machine);
          start(machine);
        } else quality[machine] = what === 'badNetwork' ? 'bad' : what === 'cut' ? 'cut' : 'good';
        assert.ok(most <= 1, `${most} led at once`);
      }
      quality.fill('good');
      for (let machine = 0; machine < candidates; machine++)
        if (!isRunning(machine) || running[machine]?.stop.signal.aborted === true) kill(machine);
      if (!running.some(({ clock }) => !clock.isDead)) start(0);
      await world.advance(120_000);
      assert.equal(most, 1, 'led at once');
      assert.equal(leading.size, 1, 'lead in the end');
      for (let machine = 0; machine < candidates; machine++) kill(machine);
    }),
    { numRuns: 60 },
  );
});
