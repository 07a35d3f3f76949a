import { lockClass } from './0001-objects.ts';
import type { Migration } from './migration.ts';

/** SQLSTATE of a write while the tables are being filled from elsewhere. */
export const beingFilledState = 'AR003';

/**
 * What is being copied into these tables, one row while that is not finished. The writer lock is refused meanwhile, so that
 * a server which is running has its writes refused instead of losing them.
 */
export const imports: Migration = {
  version: 3,
  name: 'imports',
  sql: (schema) => `
CREATE TABLE ${schema}.import (plan text NOT NULL);

CREATE OR REPLACE FUNCTION ${schema}.take_writer_lock() RETURNS void LANGUAGE plpgsql VOLATILE AS $function$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the isolation level has to be read committed' USING ERRCODE = 'invalid_transaction_state';
  END IF;
  PERFORM pg_catalog.pg_advisory_xact_lock(${lockClass}, pg_catalog.hashtext('${schema}'));
  IF EXISTS (SELECT FROM ${schema}.import) THEN
    RAISE EXCEPTION 'objects are being copied into it' USING ERRCODE = '${beingFilledState}';
  END IF;
  -- A commit that is acknowledged must be on disk, whatever the defaults of the role or the database are.
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
END
$function$;
`,
};
