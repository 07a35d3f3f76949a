export { lockExclusively } from './exclusive-lock.ts';
export { openSqliteStore } from './sqlite-store.ts';
export type { SqliteStoreOptions } from './sqlite-store.ts';
