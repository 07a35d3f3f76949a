export { readBackup } from './backup/read-backup.ts';
export { writeBackup } from './backup/write-backup.ts';
export type { BackupOptions } from './backup/write-backup.ts';
export type {
  CachedEvent,
  CachedObject,
  CachedResource,
  CacheUsage,
  CacheWatchOptions,
  Delivery,
  ListOptions,
  ListResult,
  ObjectFilter,
  ObjectRun,
  Requirement,
  ResourceCache,
  Selection,
  WatchCache,
  Watcher,
} from './cache/contract.ts';
export { openWatchCache, startWatchCache } from './cache/watch-cache.ts';
export type { WatchCacheOptions } from './cache/watch-cache.ts';
export { assertDecodable } from './cache/cached-object.ts';
export { compactRegularly } from './compaction.ts';
export type { CompactionOptions } from './compaction.ts';
export { examineObjects } from './doctor/examine-objects.ts';
export type { ServedResource } from './doctor/examine-objects.ts';
export type { Finding } from './doctor/finding.ts';
export { assertNotCompacted, assertNotFuture, ChangeNotifier, followChanges } from './follow-changes.ts';
export type { ChangeSource } from './follow-changes.ts';
export { createWriter } from './group-commit.ts';
export type { Writer, WriterOptions } from './group-commit.ts';
export { topLevelMember } from './json-scan.ts';
export { compareKeys, keyAfter, prefixEnd, rangeStart } from './key-order.ts';
export { MemoryContent } from './memory/memory-content.ts';
export { openMemoryImport } from './memory/memory-import.ts';
export { createMemoryStore } from './memory/memory-store.ts';
export { summarise } from './moving/content-summary.ts';
export type { ContentSummary } from './moving/content-summary.ts';
export { copyContent } from './moving/copy-content.ts';
export type { CopyOptions, CopyProgress, CopyResult } from './moving/copy-content.ts';
export type { ImportPlan, ImportResult, ImportState, ImportTarget } from './moving/import-target.ts';
export { ResourceCounts, resourceOf } from './moving/resource-counts.ts';
export { pagesOf, snapshotOf } from './moving/snapshot.ts';
export type { StoreSnapshot } from './moving/snapshot.ts';
export { decodePlan, encodePlan, unfinishedImport } from './moving/unfinished-import.ts';
export { RecentChanges } from './recent-changes.ts';
export { StorageError } from './storage-error.ts';
export type { StorageErrorCode } from './storage-error.ts';
export type {
  ChangeBatch,
  ChangeEvent,
  RangeOptions,
  RangeResult,
  Store,
  StoredValue,
  StoreKey,
  WriteItem,
  WriteOutcome,
} from './store.ts';
