import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, suite, test } from 'node:test';
import { eventually, type Cut } from '@arc/testkit';
import { assertAway } from './assert-away.ts';
import { assertStops } from './assert-stops.ts';
import type { Backend, FaultyDatabase } from './backends.ts';
import { assertSurvives, type FaultWorld } from './fault-world.ts';
import { randomNumbers } from './random.ts';

/** In the write of every object of the load, and in nothing else that a server sends to its database. */
const writeMarker = '"writer"';
const cuts: readonly Cut[] = ['unsent', 'unanswered', 'late'];

export const unready = ({ server }: FaultWorld): Promise<boolean> =>
  eventually(async () => !(await server.isReady()), { what: 'readyz to fail' });

/** What happens to a database that a server reaches over a network, and to the way there. */
export function databaseFaults(backend: Backend<FaultyDatabase>): void {
  suite(`${backend.name} below a server`, { skip: backend.missing }, () => {
    let storage: FaultyDatabase;
    before(async () => {
      storage = await backend.start();
    });
    after(() => storage[Symbol.asyncDispose]());

    test('kill -9 under load, and a restart: 5xx until it is back, then everything goes on', async (t) => {
      await assertSurvives(t, { storage: storage.url }, async (world, load) => {
        for (const end of [() => storage.kill(), () => storage.stop()]) {
          await end();
          await unready(world);
          await assertAway(world.client);
          await load.refused();
          assert.ok((await world.server.metric('apiserver_storage_operation_errors_total')) > 0, 'failures are counted');
          await storage.start();
          await load.progress(20);
        }
      });
    });

    test('connections cut in mid-commit, and all of them at any moment', async (t) => {
      const random = randomNumbers(400);
      await assertSurvives(t, { storage: storage.url }, async (_world, load) => {
        for (let round = 0; round < 24; round++) {
          const cut = cuts[random(cuts.length)] ?? 'late';
          await delay(random(30));
          storage.proxy.cutNext(cut, writeMarker);
          if (cut === 'late') await eventually(() => storage.proxy.deliver(), { what: 'a commit to be held back', intervalMs: 5 });
          await load.progress(1);
          await delay(random(30));
          storage.proxy.cut();
          await load.progress(1 + random(5));
        }
      });
    });

    test('two seconds for every statement: slow answers, no wrong ones', async (t) => {
      await assertSurvives(t, { storage: storage.url, timeoutSeconds: 20 }, async (_world, load) => {
        storage.proxy.delay(2_000);
        await load.progress(6);
        storage.proxy.delay(0);
      });
    });

    test('a database that takes connections and never answers: no request outlasts its timeout', async (t) => {
      await assertSurvives(t, { storage: storage.url }, async (world) => {
        storage.proxy.withhold('both');
        await unready(world);
        await assertAway(world.client);
        storage.proxy.release();
      });
    });

    test('SIGTERM while it is away, slow or silent: the server ends, and the next one goes on', async (t) => {
      const faults: readonly (readonly [begin: () => Promise<void> | void, end: () => Promise<void> | void])[] = [
        [() => storage.kill(), () => storage.start()],
        [() => storage.proxy.delay(2_000), () => storage.proxy.delay(0)],
        [() => storage.proxy.withhold('both'), () => storage.proxy.cut()],
      ];
      await assertSurvives(t, { storage: storage.url, ended: [0] }, async ({ server }, load) => {
        for (const [begin, end] of faults) {
          await begin();
          await assertStops(server);
          await end();
          await server.start();
          await load.progress(20);
        }
      });
    });
  });
}
