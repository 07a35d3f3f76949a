import { setTimeout as sleep } from 'node:timers/promises';
import { startLoad } from '../load/start-load.ts';
import { collection, orderTemplate } from '../server/order-sample.ts';
import { startServer } from '../server/server-under-test.ts';
import { percentile } from '../statistics/summary.ts';
import type { Bench } from './bench.ts';
import { cpuOf } from './cpu-of.ts';
import { watchPath } from './watch-path.ts';

/** The most that Ark's aggregated server was measured to bear of each, all at once. */
const writesPerSecond = 180;
const listsPerSecond = 12.5;
const watchers = 200;

/** Writes, LISTs of everything and watches together, at fixed rates. */
export const mixed: Bench = {
  name: 'mixed',
  about: '180 writes/s, 12.5 LIST/s and 200 watchers at once',
  backends: 'each',
  async run({ backend, plan, recorder }) {
    await using server = await startServer(backend, plan.populated);
    await using writing = startLoad();
    await using listing = startLoad();
    await using watching = startLoad();
    const { target } = server;
    const durationMs = plan.mixedMs;
    const write = {
      ...{ target, collection, template: orderTemplate, operation: 'update' as const, first: 0, objects: plan.populated },
      ...{ writers: 50, perSecond: writesPerSecond },
    };
    const list = { target, path: collection, readers: 20, perSecond: listsPerSecond };
    await watching.call('openWatches', { target, path: await watchPath(target, collection), watchers });
    await Promise.all([
      writing.call('writes', { ...write, durationMs: durationMs / 4 }),
      listing.call('reads', { ...list, durationMs: durationMs / 4 }),
    ]);
    await sleep(500);
    await watching.call('takeDeliveries', undefined);
    const { result, cpuMs } = await cpuOf(server, () =>
      Promise.all([writing.call('writes', { ...write, durationMs }), listing.call('reads', { ...list, durationMs })]),
    );
    await sleep(500);
    const deliveries = await watching.call('takeDeliveries', undefined);
    const [written, listed] = result;
    const expected = written.latenciesMs.length * watchers;
    if (deliveries.latenciesMs.length !== expected) {
      throw new Error(`of ${expected} events ${deliveries.latenciesMs.length} were delivered`);
    }
    const common = { bench: 'mixed', backend, at: { objects: plan.populated } } as const;
    for (const [what, latenciesMs] of [
      ['LIST', listed.latenciesMs],
      ['write', written.latenciesMs],
      ['delivery', deliveries.latenciesMs],
    ] as const) {
      for (const share of [0.5, 0.99]) {
        recorder.record({ ...common, metric: `${what} p${share * 100}`, unit: 'ms', values: [percentile(latenciesMs, share)] });
      }
    }
    const seconds = Math.max(written.elapsedMs, listed.elapsedMs) / 1000;
    recorder.record({ ...common, metric: 'CPU of server and database for a second', unit: 'ms', values: [cpuMs / seconds] });
  },
};
