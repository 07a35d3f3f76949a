import type { ImportPlan } from '../moving/import-target.ts';
import { SegmentedMap } from '../segmented-map.ts';
import type { ChangeEvent, StoredValue } from '../store.ts';

/** What a store in memory holds, apart from the store that is open over it. */
export class MemoryContent {
  live = new SegmentedMap<StoredValue>();
  /** Gap-free: the event at index i has revision `compacted + 1 + i`. */
  log: ChangeEvent[] = [];
  revision = 0;
  compacted = 0;
  /** What is being filled in. */
  unfinished: ImportPlan | undefined;
}
