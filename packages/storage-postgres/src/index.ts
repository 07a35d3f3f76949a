export { diagnosePostgres } from './diagnose.ts';
export { openPostgresImport } from './import-target.ts';
export { inspectPostgres } from './inspect.ts';
export type { PostgresStatus } from './inspect.ts';
export { migratePostgres } from './migrate.ts';
export type { MigrationResult, PostgresAccess } from './migrate.ts';
export { openPostgresStore } from './postgres-store.ts';
export type { PostgresStoreOptions } from './postgres-store.ts';
