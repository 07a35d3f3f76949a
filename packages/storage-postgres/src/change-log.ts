import { assertNotCompacted, type ChangeBatch, type ChangeEvent, type StoredValue } from '@arc/storage';
import type { Connections, Row, Statement } from './connections.ts';
import type { Statements } from './statements.ts';

export interface LogPage extends ChangeBatch {
  /** The newest revision of the database when the page was read. */
  readonly newest: number;
}

const pageSize = 250;

/**
 * Reads the changes after `after`, up to a page of them.
 *
 * @throws StorageError `Compacted`, and as `Connections.query`
 */
export async function readLog(connections: Connections, statements: Statements, after: number, signal?: AbortSignal): Promise<LogPage> {
  return pageOf(after, await connections.query(logStatement(statements, after), signal));
}

export function logStatement({ log }: Statements, after: number): Statement {
  return { text: log, values: [after, pageSize] };
}

/** @throws StorageError `Compacted` */
export function pageOf(after: number, rows: readonly Row[]): LogPage {
  const [newest, compacted] = rows[0] ?? [];
  assertNotCompacted(after, Number(compacted));
  const events = rows.flatMap(([, , ...change]) => (change[0] === null ? [] : [eventOf(change)]));
  return { newest: Number(newest), revision: events.at(-1)?.revision ?? after, events };
}

function eventOf([revision, key, value, priorRevision, priorValue]: Row): ChangeEvent {
  return {
    key: String(key),
    revision: Number(revision),
    value: value === null ? null : (value as Uint8Array),
    previous: priorOf(String(key), priorRevision, priorValue),
  };
}

/** The value a key had, from columns that are 0 or NULL when it had none. */
export function priorOf(key: string, revision: unknown, value: unknown): StoredValue | undefined {
  return value === null ? undefined : { key, revision: Number(revision), value: value as Uint8Array };
}
