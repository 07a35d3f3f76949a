import { answerCalls } from '../processes/calls.ts';
import { cleanUp } from './clean-up.ts';
import { runReads } from './reads.ts';
import { Watches, type WatchLoad } from './watches.ts';
import { runWrites } from './writes.ts';

let watches: Watches | undefined;

const calls = {
  reads: runReads,
  writes: runWrites,
  cleanUp,
  openWatches: async (load: WatchLoad) => {
    watches?.[Symbol.dispose]();
    watches = await Watches.open(load);
  },
  delivered: () => watches?.delivered ?? 0,
  takeDeliveries: () => {
    if (watches === undefined) throw new Error('no watches are open');
    return watches.take();
  },
  closeWatches: () => watches?.[Symbol.dispose](),
};
export type LoadCalls = typeof calls;

answerCalls(calls);
