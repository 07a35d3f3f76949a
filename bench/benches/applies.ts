import { rateOf } from '../load/load-result.ts';
import { startLoad } from '../load/start-load.ts';
import type { WriteLoad } from '../load/writes.ts';
import { collection, orderTemplate } from '../server/order-sample.ts';
import { startServer } from '../server/server-under-test.ts';
import type { Bench } from './bench.ts';

/** What comparing and recording who owns what adds to a write: the same change applied and merged, in turn. */
export const applies: Bench = {
  name: 'applies',
  about: 'server-side apply against merge patches of the same objects, and applies that change nothing',
  backends: 'none',
  async run({ plan, recorder }) {
    await using server = await startServer('sqlite', plan.populated);
    await using load = startLoad();
    const objects = plan.populated / 2;
    const base = { target: server.target, collection, template: orderTemplate, writers: 50, first: 0, objects, durationMs: plan.writeMs };
    const run = async (part: Pick<WriteLoad, 'operation' | 'unchanging'>): Promise<number> =>
      rateOf(await load.call('writes', { ...base, ...part }));
    await run({ operation: 'apply' });
    const [applied, merged, unchanged]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < plan.rounds; round += 1) {
      applied.push(await run({ operation: 'apply' }));
      merged.push(await run({ operation: 'merge-patch' }));
    }
    await load.call('writes', { ...base, operation: 'apply', unchanging: true, durationMs: Infinity, count: objects });
    for (let round = 0; round < plan.rounds; round += 1) unchanged.push(await run({ operation: 'apply', unchanging: true }));
    const common = { bench: 'applies', backend: 'sqlite', at: { writers: base.writers }, unit: '1/s' } as const;
    recorder.record({
      ...common,
      metric: 'applies that change a field',
      values: applied,
      baseline: { name: 'merge patches', values: merged },
    });
    recorder.record({ ...common, metric: 'applies that change nothing', values: unchanged });
  },
};
