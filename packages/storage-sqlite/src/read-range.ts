import { rangeStart, type StoredValue } from '@arc/storage';
import { statements } from './schema.ts';
import type { DatabaseSync } from './sqlite.ts';

/** A page of all live values, read in the calling thread. */
export function readRange(
  db: DatabaseSync,
  { after, limit }: { readonly after: string; readonly limit: number },
): { items: readonly StoredValue[]; more: boolean } {
  const rows = db.prepare(statements.selectRange).all(after === '' ? '' : rangeStart('', after), null, limit + 1);
  const items = rows.slice(0, limit).map((row) => ({
    key: String(row['key']),
    revision: Number(row['revision']),
    value: row['value'] instanceof Uint8Array ? row['value'] : new Uint8Array(),
  }));
  return { items, more: rows.length > limit };
}
