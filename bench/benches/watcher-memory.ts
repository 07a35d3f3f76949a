import { startLoad } from '../load/start-load.ts';
import { collection } from '../server/order-sample.ts';
import { startServer } from '../server/server-under-test.ts';
import type { Bench } from './bench.ts';
import { watchPath } from './watch-path.ts';

/** Watchers whose memory is taken together. */
const manyWatchers = 2000;

/** What the server's process grows by for each open watch, its connection included. */
export const watcherMemory: Bench = {
  name: 'watcher-memory',
  about: 'memory of the server for each watcher',
  backends: 'none',
  async run({ plan, recorder }) {
    await using load = startLoad();
    await using server = await startServer('sqlite', plan.populated);
    const { target } = server;
    const watchers = Math.min(manyWatchers, plan.populated);
    const path = await watchPath(target, collection);
    // What the first connections make it allocate once, V8's young generation above all, is not theirs.
    await using first = startLoad();
    await first.call('openWatches', { target, path, watchers });
    const before = await server.usageAtRest();
    await load.call('openWatches', { target, path, watchers });
    const after = await server.usageAtRest();
    const values = [(after.rssBytes - before.rssBytes) / watchers];
    recorder.record({ bench: 'watcher-memory', backend: 'none', metric: 'RSS for each watcher', at: { watchers }, unit: 'bytes', values });
  },
};
