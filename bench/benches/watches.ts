import { setTimeout as sleep } from 'node:timers/promises';
import { rateOf } from '../load/load-result.ts';
import type { LoadProcess } from '../load/start-load.ts';
import { startLoad } from '../load/start-load.ts';
import { collection, orderTemplate } from '../server/order-sample.ts';
import { startServer } from '../server/server-under-test.ts';
import { percentile } from '../statistics/summary.ts';
import type { Bench } from './bench.ts';
import { cpuOf } from './cpu-of.ts';
import { watchPath } from './watch-path.ts';

/** How long events may take to arrive after the last write was acknowledged. */
const settleMs = 5000;

/** Delivery of updates to every watcher of a collection, from the moment a writer sends one to the moment a watcher has it. */
export const watches: Bench = {
  name: 'watches',
  about: 'delivery to 1 to 1,000 watchers at 50 to 1,000 writes/s',
  backends: 'each',
  async run({ backend, plan, recorder }) {
    await using server = await startServer(backend, plan.populated);
    await using writing = startLoad();
    await using watching = startLoad();
    const write = {
      ...{ target: server.target, collection, template: orderTemplate, operation: 'update' as const, first: 0 },
      ...{ objects: plan.populated, writers: 50 },
    };
    await writing.call('writes', { ...write, durationMs: plan.writeMs });
    for (const watchers of plan.watchers) {
      await watching.call('openWatches', { target: server.target, path: await watchPath(server.target, collection), watchers });
      for (const perSecond of plan.watchedRates) {
        await writing.call('writes', { ...write, perSecond, durationMs: plan.watchMs / 4 });
        await sleep(200);
        await watching.call('takeDeliveries', undefined);
        const { result: written, cpuMs } = await cpuOf(server, async () => {
          const done = await writing.call('writes', { ...write, perSecond, durationMs: plan.watchMs });
          await arrival(watching, done.latenciesMs.length * watchers);
          return done;
        });
        const { latenciesMs, bytes } = await watching.call('takeDeliveries', undefined);
        const common = { bench: 'watches', backend, at: { watchers, perSecond } } as const;
        const record = (metric: string, unit: 'ms' | '1/s' | 'bytes', value: number): void =>
          recorder.record({ ...common, metric, unit, values: [value] });
        record('delivery p50', 'ms', percentile(latenciesMs, 0.5));
        record('delivery p99', 'ms', percentile(latenciesMs, 0.99));
        record('write p50 while watched', 'ms', percentile(written.latenciesMs, 0.5));
        record('writes done', '1/s', rateOf(written));
        record('bytes of an event', 'bytes', bytes / latenciesMs.length);
        record('CPU of server and database for a delivery', 'ms', cpuMs / latenciesMs.length);
      }
      await watching.call('closeWatches', undefined);
    }
  },
};

/** @throws Error when not every watcher gets every event */
export async function arrival(watching: LoadProcess, expected: number): Promise<void> {
  const until = performance.now() + settleMs;
  for (;;) {
    const delivered = await watching.call('delivered', undefined);
    if (delivered >= expected) return;
    if (performance.now() > until) throw new Error(`of ${expected} events ${delivered} were delivered`);
    await sleep(20);
  }
}
