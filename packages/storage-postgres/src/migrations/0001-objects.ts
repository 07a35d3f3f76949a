import { channelOf } from '../schema-name.ts';
import type { Migration } from './migration.ts';

/** First half of the key of every advisory lock of ARC: "ARC1". The second is the hash of the schema's name. */
export const lockClass = 0x41524331;

/** SQLSTATE of a batch that was given up by `settle_batch` before it came to be executed. */
const abandonedState = 'AR001';
/** SQLSTATE of `settle_batch` when history that would tell has been compacted. */
export const unknowableState = 'AR002';

/**
 * The tables, and the functions that write them.
 *
 * - The newest row of `log` is never deleted: it is what numbers the next write.
 * - `commit_batch` must be VOLATILE and run under READ COMMITTED, so that the statement that compares sees what was committed
 *   while the one before it waited for the writer lock.
 * - Its planner settings are its own: plpgsql caches the plan made while the tables were empty, and a sequential scan or a
 *   hash join kept from then takes 100 times as long at 100,000 objects. Those of `range_at` keep it from reading the whole log
 *   when the statistics lag behind.
 */
export const objects: Migration = {
  version: 1,
  name: 'objects',
  sql: (schema) => `
CREATE TABLE ${schema}.meta (name text PRIMARY KEY, value bigint NOT NULL);
INSERT INTO ${schema}.meta (name, value) VALUES ('compacted', 0);

CREATE TABLE ${schema}.live (
  key text COLLATE "C" PRIMARY KEY,
  revision bigint NOT NULL,
  value bytea NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE ${schema}.log (
  revision bigint PRIMARY KEY,
  key text COLLATE "C" NOT NULL,
  value bytea,
  prior_revision bigint NOT NULL,
  prior_value bytea,
  batch uuid NOT NULL
);

CREATE TABLE ${schema}.abandoned (batch uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());

CREATE FUNCTION ${schema}.take_writer_lock() RETURNS void LANGUAGE plpgsql VOLATILE AS $function$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the isolation level has to be read committed' USING ERRCODE = 'invalid_transaction_state';
  END IF;
  PERFORM pg_catalog.pg_advisory_xact_lock(${lockClass}, pg_catalog.hashtext('${schema}'));
  -- A commit that is acknowledged must be on disk, whatever the defaults of the role or the database are.
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
END
$function$;

CREATE FUNCTION ${schema}.commit_batch(batch_id uuid, keys text[], expected bigint[], lengths integer[], contents bytea)
RETURNS TABLE (won_revision bigint, was_revision bigint, was_value bytea)
LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $function$
DECLARE
  newest bigint;
BEGIN
  PERFORM ${schema}.take_writer_lock();
  IF EXISTS (SELECT FROM ${schema}.abandoned a WHERE a.batch = batch_id) THEN
    RAISE EXCEPTION 'the batch was given up' USING ERRCODE = '${abandonedState}';
  END IF;
  RETURN QUERY
  WITH item AS (
    SELECT i.position, i.key, i.expect, l.revision AS prior_revision, l.value AS prior_value,
      CASE WHEN i.length >= 0 THEN substring(contents FROM i.start::integer FOR i.length) END AS value
    FROM (
      SELECT u.*, 1 + sum(greatest(u.length, 0)) OVER (ORDER BY u.position) - greatest(u.length, 0) AS start
      FROM unnest(keys, expected, lengths) WITH ORDINALITY AS u (key, expect, length, position)
    ) i
    LEFT JOIN ${schema}.live l ON l.key = i.key COLLATE "C"
  ), winner AS (
    SELECT item.position, item.key, item.value, item.prior_revision, item.prior_value,
      (SELECT coalesce(max(g.revision), 0) FROM ${schema}.log g) + row_number() OVER (ORDER BY item.position) AS revision
    FROM item
    WHERE CASE WHEN item.expect IS NULL THEN item.prior_revision IS NULL AND item.value IS NOT NULL
      ELSE item.prior_revision = item.expect END
  ), written AS (
    INSERT INTO ${schema}.live AS l (key, revision, value)
    SELECT winner.key, winner.revision, winner.value FROM winner WHERE winner.value IS NOT NULL
    ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, value = excluded.value
  ), deleted AS (
    DELETE FROM ${schema}.live l USING winner WHERE winner.value IS NULL AND l.key = winner.key
  ), logged AS (
    INSERT INTO ${schema}.log (revision, key, value, prior_revision, prior_value, batch)
    SELECT winner.revision, winner.key, winner.value, coalesce(winner.prior_revision, 0), winner.prior_value, batch_id FROM winner
  )
  SELECT winner.revision, item.prior_revision, item.prior_value
  FROM item LEFT JOIN winner ON winner.position = item.position
  ORDER BY item.position;
  SELECT max(g.revision) INTO newest FROM ${schema}.log g;
  IF newest IS NOT NULL THEN
    PERFORM pg_catalog.pg_notify('${channelOf(schema)}', newest::text);
  END IF;
END
$function$;

CREATE FUNCTION ${schema}.range_at(prefix text, lower_key text, upper_key text, most bigint, at_revision bigint)
RETURNS TABLE (found_key text, found_revision bigint, found_value bytea)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET max_parallel_workers_per_gather = 0 SET plan_cache_mode = force_custom_plan
AS $function$
BEGIN
  RETURN QUERY
  (SELECT l.key, l.revision, l.value FROM ${schema}.live l
    WHERE l.key >= prefix AND l.key > lower_key AND (upper_key IS NULL OR l.key < upper_key) AND l.revision <= at_revision
    ORDER BY l.key LIMIT most)
  UNION ALL
  -- Of the changes after the snapshot, a key's first one holds what the snapshot saw: the only one whose prior value is that old.
  (SELECT g.key, g.prior_revision, g.prior_value FROM ${schema}.log g
    WHERE g.revision > at_revision AND g.prior_revision BETWEEN 1 AND at_revision
      AND g.key >= prefix AND g.key > lower_key AND (upper_key IS NULL OR g.key < upper_key)
    ORDER BY g.key LIMIT most)
  ORDER BY 1 LIMIT most;
END
$function$;

CREATE FUNCTION ${schema}.settle_batch(batch_id uuid, since bigint)
RETURNS TABLE (revision bigint, key text, prior_revision bigint, prior_value bytea)
LANGUAGE plpgsql VOLATILE AS $function$
BEGIN
  PERFORM ${schema}.take_writer_lock();
  RETURN QUERY
  SELECT g.revision, g.key, g.prior_revision, g.prior_value
  FROM ${schema}.log g WHERE g.revision > since AND g.batch = batch_id ORDER BY g.revision;
  IF FOUND THEN
    RETURN;
  END IF;
  IF since < (SELECT m.value FROM ${schema}.meta m WHERE m.name = 'compacted') THEN
    RAISE EXCEPTION 'the history that would tell has been compacted' USING ERRCODE = '${unknowableState}';
  END IF;
  INSERT INTO ${schema}.abandoned (batch) VALUES (batch_id) ON CONFLICT DO NOTHING;
END
$function$;
`,
};
