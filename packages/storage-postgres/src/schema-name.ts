import { StorageError } from '@arc/storage';

/** Where the tables are unless told otherwise. */
export const defaultSchema = 'arc';

/**
 * Returns `schema` when it can be written into SQL as it is.
 *
 * @throws StorageError `BadDatabase`
 */
export function schemaName(schema: string): string {
  if (/^[a-z_][a-z0-9_]{0,39}$/.test(schema) && !schema.startsWith('pg_')) return schema;
  throw new StorageError('BadDatabase', `${JSON.stringify(schema)} cannot be the name of a schema of ARC`, {
    hint: 'Use up to 40 lower-case letters, digits and underscores, beginning with a letter.',
  });
}

/** The channel that `NOTIFY` wakes followers through. */
export function channelOf(schema: string): string {
  return `${schema}_changes`;
}
