import { startRawServer } from '../baselines/raw-server.ts';
import { rateOf } from '../load/load-result.ts';
import { startLoad } from '../load/start-load.ts';
import { collection } from '../server/order-sample.ts';
import { startServer } from '../server/server-under-test.ts';
import { percentile } from '../statistics/summary.ts';
import type { Bench } from './bench.ts';

/** GET of single objects, alone and by 50 readers at once, against a raw TLS server that answers with as many bytes. */
export const gets: Bench = {
  name: 'gets',
  about: 'GET of one object: latency alone, throughput of 50 readers',
  backends: 'each',
  async run({ backend, plan, recorder }) {
    await using server = await startServer(backend, plan.populated);
    await using load = startLoad();
    await using raw = await startRawServer({ tls: true });
    const get = { target: server.target, path: collection, objects: plan.populated, durationMs: plan.writeMs };
    const [{ bytes }, warmUp] = [await load.call('reads', { ...get, readers: 1, durationMs: Infinity, count: 1 }), get];
    await load.call('reads', { ...warmUp, readers: 10 });
    const echo = { target: raw.target, path: `/${bytes}`, durationMs: plan.writeMs };
    await load.call('reads', { ...echo, readers: 10 });

    const latency: { p50: number[]; p99: number[]; raw: number[] } = { p50: [], p99: [], raw: [] };
    const throughput: { get: number[]; raw: number[] } = { get: [], raw: [] };
    for (let round = 0; round < plan.rounds; round += 1) {
      const one = await load.call('reads', { ...get, readers: 1, durationMs: plan.writeMs / 2 });
      latency.p50.push(percentile(one.latenciesMs, 0.5));
      latency.p99.push(percentile(one.latenciesMs, 0.99));
      const oneRaw = await load.call('reads', { ...echo, readers: 1, durationMs: plan.writeMs / 2 });
      latency.raw.push(percentile(oneRaw.latenciesMs, 0.5));
      const many = await load.call('reads', { ...get, readers: 50, durationMs: plan.writeMs / 2 });
      throughput.get.push(rateOf(many));
      const manyRaw = await load.call('reads', { ...echo, readers: 50, durationMs: plan.writeMs / 2 });
      throughput.raw.push(rateOf(manyRaw));
    }
    const common = { bench: 'gets', backend, at: { objects: plan.populated } } as const;
    recorder.record({ ...common, metric: 'GET p50', unit: 'ms', values: latency.p50, baseline: { name: 'raw TLS', values: latency.raw } });
    recorder.record({ ...common, metric: 'GET p99', unit: 'ms', values: latency.p99 });
    recorder.record({
      ...common,
      metric: 'GET throughput',
      at: { ...common.at, readers: 50 },
      unit: '1/s',
      values: throughput.get,
      baseline: { name: 'raw TLS', values: throughput.raw },
    });
  },
};
