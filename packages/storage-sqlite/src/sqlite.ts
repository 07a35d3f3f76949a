// The only import of the driver: newer Node releases rename DatabaseSync to Database.
export { DatabaseSync } from 'node:sqlite';
export type { SQLInputValue, StatementSync } from 'node:sqlite';
