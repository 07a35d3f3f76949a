import { prefixEnd } from '../key-order.ts';
import type { ImportTarget } from '../moving/import-target.ts';
import { SegmentedMap } from '../segmented-map.ts';
import type { StoredValue } from '../store.ts';
import type { MemoryContent } from './memory-content.ts';

/** Fills a store in memory: the reference for the others. */
export function openMemoryImport(content: MemoryContent): ImportTarget {
  return {
    keepsRevisions: true,
    state: async () => ({ objects: content.live.size, unfinished: content.unfinished }),
    async begin(plan) {
      content.live = new SegmentedMap<StoredValue>();
      content.unfinished = plan;
    },
    async write(values) {
      for (const { key, revision, value } of values) content.live.set({ key, revision, value: new Uint8Array(value) });
    },
    async *objects() {
      const all: StoredValue[] = [];
      content.live.walk('', prefixEnd(''), (value) => all.push(value) > 0);
      if (all.length > 0) yield all;
    },
    async finish(revision) {
      content.revision = Math.max(revision, content.revision === 0 ? 0 : content.revision + 1);
      content.compacted = content.revision;
      content.log = [];
      content.unfinished = undefined;
      return { revision: content.revision, compactedRevision: content.compacted };
    },
    async [Symbol.asyncDispose]() {},
  };
}
