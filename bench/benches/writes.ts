import { rawWritesOf } from '../baselines/raw-writes.ts';
import { rateOf, type LoadResult } from '../load/load-result.ts';
import { startLoad } from '../load/start-load.ts';
import type { WriteLoad } from '../load/writes.ts';
import { collection, orderTemplate } from '../server/order-sample.ts';
import { startServer } from '../server/server-under-test.ts';
import { percentile } from '../statistics/summary.ts';
import type { Bench } from './bench.ts';
import { cpuOf, type WithCpu } from './cpu-of.ts';

const operations = ['create', 'update', 'delete'] as const;
/** What Ark's aggregated server reaches at most, and where its latencies are measured. */
const burstPerSecond = 230;
const readersOfRaw = 50;

/** Durable creates, updates and deletes by any number of writers at once, and a burst at a fixed rate. */
export const writes: Bench = {
  name: 'writes',
  about: 'create, update and delete by 1 to 200 writers, a burst of 230 creates/s, and raw writes into the same database',
  backends: 'each',
  async run({ backend, plan, recorder }) {
    await using server = await startServer(backend, plan.populated);
    await using load = startLoad();
    await using raw = await rawWritesOf(backend);
    const common = { bench: 'writes', backend } as const;
    let created = plan.populated;
    let deleted = 0;
    const base = { target: server.target, collection, template: orderTemplate, durationMs: plan.writeMs } as const;
    const run = async (operation: (typeof operations)[number], writers: number, count = Infinity): Promise<WithCpu<LoadResult>> => {
      const first = { create: created, update: 0, delete: deleted }[operation];
      const what: WriteLoad = { ...base, operation, writers, first, count, ...(operation === 'update' && { objects: plan.populated / 2 }) };
      const done = await cpuOf(server, () => load.call('writes', what));
      if (operation === 'create') created += done.result.latenciesMs.length;
      if (operation === 'delete') deleted += done.result.latenciesMs.length;
      return done;
    };

    const rounds = Math.min(3, plan.rounds);
    await run('create', 20);
    for (const writers of plan.writers) {
      const series = new Map(operations.map((operation) => [operation, [] as WithCpu<LoadResult>[]]));
      const rawRates: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        // Before anything is deleted, so that updates find their objects; deletes take what creates have made.
        series.get('create')?.push(await run('create', writers));
        if (raw !== undefined) rawRates.push(await raw.insert(plan.writeMs / 2, Math.min(writers, readersOfRaw)));
        series.get('update')?.push(await run('update', writers));
      }
      deleted ||= plan.populated / 2;
      for (let left = rounds; left > 0; left -= 1) {
        // Deletes are faster than creates: each round gets its share of what is there.
        series.get('delete')?.push(await run('delete', writers, Math.floor((created - deleted) / left)));
      }
      for (const [operation, done] of series) {
        const at = { writers };
        const baseline = operation === 'create' && raw !== undefined ? { baseline: { name: raw.name, values: rawRates } } : {};
        recorder.record({
          ...common,
          metric: `${operation} throughput`,
          at,
          unit: '1/s',
          values: done.map(({ result }) => rateOf(result)),
          ...baseline,
        });
        for (const share of [0.5, 0.99]) {
          const values = done.map(({ result }) => percentile(result.latenciesMs, share));
          recorder.record({ ...common, metric: `${operation} p${share * 100}`, at, unit: 'ms', values });
        }
        recorder.record({ ...common, metric: `${operation} CPU of server and database`, at, unit: 'ms', values: done.map(cpuEach) });
      }
    }

    const burst = await load.call('writes', {
      ...base,
      ...{ operation: 'create', writers: 200, first: created, perSecond: burstPerSecond, durationMs: plan.writeMs * 2 },
    });
    for (const share of [0.5, 0.99]) {
      const values = [percentile(burst.latenciesMs, share)];
      recorder.record({
        ...common,
        metric: `create p${share * 100} at a fixed rate`,
        at: { perSecond: burstPerSecond },
        unit: 'ms',
        values,
      });
    }
  },
};

function cpuEach({ result, cpuMs }: WithCpu<LoadResult>): number {
  return cpuMs / result.latenciesMs.length;
}
