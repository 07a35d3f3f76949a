export type {
  CachedEvent,
  CachedObject,
  CachedResource,
  CacheWatchOptions,
  Delivery,
  ListOptions,
  ListResult,
  ObjectFilter,
  ResourceCache,
  WatchCache,
  Watcher,
} from './cache/contract.ts';
export type { Writer } from './group-commit.ts';
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
