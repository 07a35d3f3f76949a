import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { eventually, type Cut } from '@arc/testkit';
import { assertAway } from './assert-away.ts';
import type { Backend, FaultyDatabase } from './backends.ts';
import { assertSurvives, type FaultWorld } from './fault-world.ts';

/** In the write of every object of the load, and in nothing else that a server sends to its database. */
const writeMarker = '"writer"';
const cuts: readonly Cut[] = ['unsent', 'unanswered', 'late'];

const unready = (world: FaultWorld): Promise<boolean> =>
  eventually(async () => !(await world.isReady()), { what: 'readyz to fail', timeoutMs: 10_000 });

/** What happens to a database that a server reaches over a network, and to the way there. */
export function databaseFaults(backend: Backend<FaultyDatabase>): void {
  suite(`${backend.name} below a server`, { skip: backend.missing }, () => {
    let storage: FaultyDatabase;
    before(async () => {
      storage = await backend.start();
    });
    after(() => storage[Symbol.asyncDispose]());

    test('kill -9 under load: 5xx until it is back, then everything goes on', async (t) => {
      await assertSurvives(t, { storage: storage.url }, async (world, load) => {
        await storage.kill();
        await unready(world);
        await assertAway(world.client);
        await eventually(() => load.refusals > 0, { what: 'the load to meet the fault' });
        assert.ok((await world.metric('apiserver_storage_operation_errors_total')) > 0, 'failures are counted');
        await storage.start();
      });
    });

    test('connections cut in mid-commit, and all of them at once', async (t) => {
      await assertSurvives(t, { storage: storage.url }, async (_world, load) => {
        for (const cut of [...cuts, ...cuts]) {
          storage.proxy.cutNext(cut, writeMarker);
          if (cut === 'late') await eventually(() => storage.proxy.deliver(), { what: 'a commit to be held back', intervalMs: 5 });
          await load.progress(10);
          storage.proxy.cut();
          await load.progress(10);
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
  });
}
