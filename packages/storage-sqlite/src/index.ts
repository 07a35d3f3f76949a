export { diagnoseSqlite, inspectSqlite } from './inspect.ts';
export { lockDatabase, lockExclusively } from './exclusive-lock.ts';
export { openSqliteImport } from './import-target.ts';
export { openSqliteSnapshot } from './snapshot.ts';
export { openSqliteStore } from './sqlite-store.ts';
export type { SqliteStoreOptions } from './sqlite-store.ts';
