import { rateOf } from '../load/load-result.ts';
import type { LoadProcess } from '../load/start-load.ts';
import { startLoad } from '../load/start-load.ts';
import type { Plan } from '../plan.ts';
import { collection, orderTemplate } from '../server/order-sample.ts';
import { startBackend, type BackendName } from '../server/backends.ts';
import { seedFor, serve, startServer, type ServerUnderTest } from '../server/server-under-test.ts';
import { percentile } from '../statistics/summary.ts';
import type { Unit } from '../results/measurement.ts';
import type { Bench } from './bench.ts';
import { watchPath } from './watch-path.ts';
import { arrival } from './watches.ts';

const writers = 50;
const watchers = 20;
const watchedPerSecond = 100;

type Record = (metric: string, unit: Unit, value: number) => void;

/** The same work on ever more objects, what it takes to start on them, and to hold them. */
export const growth: Bench = {
  name: 'growth',
  about: 'cold start, memory, GET, create, watch and LIST with 10,000 to 1,000,000 objects',
  backends: 'each',
  async run({ backend, plan, recorder }) {
    const empty = await rssWhenEmpty(backend);
    recorder.record({ bench: 'growth', backend, metric: 'RSS when empty', at: {}, unit: 'bytes', values: [empty] });
    for (const objects of plan.stored) {
      const record: Record = (metric, unit, value) =>
        recorder.record({ bench: 'growth', backend, metric, at: { objects }, unit, values: [value] });
      await using storage = await startBackend(backend);
      const filled = await serve(storage, await seedFor(objects));
      record('filling the storage', '1/s', (objects / filled.seedMs) * 1000);
      // What is in memory would be gone: there the server that filled it is the one that is measured.
      if (backend !== 'memory') await filled[Symbol.asyncDispose]();
      await using server = backend === 'memory' ? filled : await serve(storage);
      record('cold start', 'ms', server.startMs);
      record('cold start until probes are answered', 'ms', server.probedMs);
      const { rssBytes } = await server.usageAtRest();
      await using load = startLoad();
      record('RSS for each object', 'bytes', (rssBytes - empty) / objects);
      const { bytes } = await load.call('reads', { target: server.target, path: `${collection}?limit=100`, readers: 1, count: 1 });
      record('RSS for each object by its bytes', 'x', (rssBytes - empty) / objects / (bytes / Math.min(objects, 100)));
      await measureWork(server, load, { objects, plan, record });
    }
  },
};

async function rssWhenEmpty(backend: BackendName): Promise<number> {
  await using server = await startServer(backend);
  return (await server.usageAtRest()).rssBytes;
}

interface Work {
  readonly objects: number;
  readonly plan: Plan;
  readonly record: Record;
}

async function measureWork({ target }: ServerUnderTest, load: LoadProcess, { objects, plan, record }: Work): Promise<void> {
  const durationMs = plan.writeMs;
  const get = { target, path: collection, objects, readers: 1 };
  await load.call('reads', { ...get, durationMs: durationMs / 2 });
  const gets = await load.call('reads', { ...get, durationMs });
  record('GET p50', 'ms', percentile(gets.latenciesMs, 0.5));

  const write = { target, collection, template: orderTemplate, writers, durationMs } as const;
  const warmUp = await load.call('writes', { ...write, operation: 'create', first: objects });
  const creates = await load.call('writes', { ...write, operation: 'create', first: objects + warmUp.latenciesMs.length });
  record('creates', '1/s', rateOf(creates));

  await using watching = startLoad();
  await watching.call('openWatches', { target, path: await watchPath(target, collection), watchers });
  const update = { ...write, operation: 'update', first: 0, objects, perSecond: watchedPerSecond } as const;
  const first = await load.call('writes', update);
  await arrival(watching, first.latenciesMs.length * watchers);
  await watching.call('takeDeliveries', undefined);
  const updates = await load.call('writes', update);
  await arrival(watching, updates.latenciesMs.length * watchers);
  const { latenciesMs } = await watching.call('takeDeliveries', undefined);
  record('watch delivery p50', 'ms', percentile(latenciesMs, 0.5));
  await watching.call('closeWatches', undefined);

  const list = await load.call('reads', { target, path: collection, readers: 1, count: 5 });
  record('LIST p50', 'ms', percentile(list.latenciesMs, 0.5));
}
