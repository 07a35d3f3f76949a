CREATE TABLE arc.abandoned (
  batch uuid NOT NULL,
  at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT abandoned_pkey PRIMARY KEY (batch)
);

CREATE TABLE arc.import (
  plan text NOT NULL
);

CREATE TABLE arc.live (
  key text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  value bytea NOT NULL,
  CONSTRAINT live_pkey PRIMARY KEY (key)
) WITH (fillfactor=80);

CREATE TABLE arc.log (
  revision bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  value bytea,
  prior_revision bigint NOT NULL,
  prior_value bytea,
  batch uuid NOT NULL,
  CONSTRAINT log_pkey PRIMARY KEY (revision)
);

CREATE TABLE arc.meta (
  name text NOT NULL,
  value bigint NOT NULL,
  CONSTRAINT meta_pkey PRIMARY KEY (name)
);

CREATE TABLE arc.migrations (
  version integer NOT NULL,
  name text NOT NULL,
  at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT migrations_pkey PRIMARY KEY (version)
);

CREATE INDEX live_by_name ON arc.live USING btree (arc.part_of(key, 'resource'::text), arc.part_of(key, 'namespace'::text), arc.part_of(key, 'name'::text));

CREATE OR REPLACE FUNCTION arc.commit_batch(batch_id uuid, keys text[], expected bigint[], lengths integer[], contents bytea)
 RETURNS TABLE(won_revision bigint, was_revision bigint, was_value bytea)
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
DECLARE
  newest bigint;
BEGIN
  PERFORM arc.take_writer_lock();
  IF EXISTS (SELECT FROM arc.abandoned a WHERE a.batch = batch_id) THEN
    RAISE EXCEPTION 'the batch was given up' USING ERRCODE = 'AR001';
  END IF;
  RETURN QUERY
  WITH item AS (
    SELECT i.position, i.key, i.expect, l.revision AS prior_revision, l.value AS prior_value,
      CASE WHEN i.length >= 0 THEN substring(contents FROM i.start::integer FOR i.length) END AS value
    FROM (
      SELECT u.*, 1 + sum(greatest(u.length, 0)) OVER (ORDER BY u.position) - greatest(u.length, 0) AS start
      FROM unnest(keys, expected, lengths) WITH ORDINALITY AS u (key, expect, length, position)
    ) i
    LEFT JOIN arc.live l ON l.key = i.key COLLATE "C"
  ), winner AS (
    SELECT item.position, item.key, item.value, item.prior_revision, item.prior_value,
      (SELECT coalesce(max(g.revision), 0) FROM arc.log g) + row_number() OVER (ORDER BY item.position) AS revision
    FROM item
    WHERE CASE WHEN item.expect IS NULL THEN item.prior_revision IS NULL AND item.value IS NOT NULL
      ELSE item.prior_revision = item.expect END
  ), written AS (
    INSERT INTO arc.live AS l (key, revision, value)
    SELECT winner.key, winner.revision, winner.value FROM winner WHERE winner.value IS NOT NULL
    ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, value = excluded.value
  ), deleted AS (
    DELETE FROM arc.live l USING winner WHERE winner.value IS NULL AND l.key = winner.key
  ), logged AS (
    INSERT INTO arc.log (revision, key, value, prior_revision, prior_value, batch)
    SELECT winner.revision, winner.key, winner.value, coalesce(winner.prior_revision, 0), winner.prior_value, batch_id FROM winner
  )
  SELECT winner.revision, item.prior_revision, item.prior_value
  FROM item LEFT JOIN winner ON winner.position = item.position
  ORDER BY item.position;
  SELECT max(g.revision) INTO newest FROM arc.log g;
  IF newest IS NOT NULL THEN
    PERFORM pg_catalog.pg_notify('arc_changes', newest::text);
  END IF;
END
$function$;

CREATE OR REPLACE FUNCTION arc.decoded(value bytea)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE STRICT
AS $function$
BEGIN
  RETURN convert_from(value, 'UTF8')::jsonb;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION arc.part_of(key text, part text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
  SELECT CASE part
    WHEN 'group' THEN split_part(key, '/', 3)
    WHEN 'resource' THEN split_part(key, '/', 4)
    WHEN 'namespace' THEN CASE WHEN split_part(key, '/', 6) = '' THEN '' ELSE split_part(key, '/', 5) END
    ELSE CASE WHEN split_part(key, '/', 6) = '' THEN split_part(key, '/', 5) ELSE split_part(key, '/', 6) END
  END
$function$;

CREATE OR REPLACE FUNCTION arc.range_at(prefix text, lower_key text, upper_key text, most bigint, at_revision bigint)
 RETURNS TABLE(found_key text, found_revision bigint, found_value bytea)
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
BEGIN
  RETURN QUERY
  (SELECT l.key, l.revision, l.value FROM arc.live l
    WHERE l.key >= prefix AND l.key > lower_key AND (upper_key IS NULL OR l.key < upper_key) AND l.revision <= at_revision
    ORDER BY l.key LIMIT most)
  UNION ALL
  -- Of the changes after the snapshot, a key's first one holds what the snapshot saw: the only one whose prior value is that old.
  (SELECT g.key, g.prior_revision, g.prior_value FROM arc.log g
    WHERE g.revision > at_revision AND g.prior_revision BETWEEN 1 AND at_revision
      AND g.key >= prefix AND g.key > lower_key AND (upper_key IS NULL OR g.key < upper_key)
    ORDER BY g.key LIMIT most)
  ORDER BY 1 LIMIT most;
END
$function$;

CREATE OR REPLACE FUNCTION arc.settle_batch(batch_id uuid, since bigint)
 RETURNS TABLE(revision bigint, key text, prior_revision bigint, prior_value bytea)
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM arc.take_writer_lock();
  RETURN QUERY
  SELECT g.revision, g.key, g.prior_revision, g.prior_value
  FROM arc.log g WHERE g.revision > since AND g.batch = batch_id ORDER BY g.revision;
  IF FOUND THEN
    RETURN;
  END IF;
  IF since < (SELECT m.value FROM arc.meta m WHERE m.name = 'compacted') THEN
    RAISE EXCEPTION 'the history that would tell has been compacted' USING ERRCODE = 'AR002';
  END IF;
  INSERT INTO arc.abandoned (batch) VALUES (batch_id) ON CONFLICT DO NOTHING;
END
$function$;

CREATE OR REPLACE FUNCTION arc.take_writer_lock()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the isolation level has to be read committed' USING ERRCODE = 'invalid_transaction_state';
  END IF;
  PERFORM pg_catalog.pg_advisory_xact_lock(1095910193, pg_catalog.hashtext('arc'));
  IF EXISTS (SELECT FROM arc.import) THEN
    RAISE EXCEPTION 'objects are being copied into it' USING ERRCODE = 'AR003';
  END IF;
  -- A commit that is acknowledged must be on disk, whatever the defaults of the role or the database are.
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
END
$function$;

CREATE VIEW arc.artifacts AS
 SELECT o.namespace,
    o.name,
    o.uid,
    o.created_at,
    o.phase,
    (o.object #>> '{spec,type}'::text[]) AS type,
    (o.object #>> '{spec,srcRef,name}'::text[]) AS source,
    (o.object #>> '{spec,dstRef,name}'::text[]) AS destination,
    (o.object #>> '{status,reason}'::text[]) AS reason,
    (o.object #>> '{status,message}'::text[]) AS message,
    ((o.object #>> '{status,startTime}'::text[]))::timestamp with time zone AS started_at,
    ((o.object #>> '{status,completionTime}'::text[]))::timestamp with time zone AS completed_at
   FROM (arc.objects o
     CROSS JOIN ( SELECT 1 AS "?column?"
         OFFSET 0) one)
  WHERE ((o.resource = 'artifactworkflows'::text) AND (o.api_group = 'arc.opendefense.cloud'::text));

CREATE VIEW arc.conditions AS
 SELECT o.api_group,
    o.resource,
    o.namespace,
    o.name,
    (c.condition ->> 'type'::text) AS type,
    (c.condition ->> 'status'::text) AS status,
    (c.condition ->> 'reason'::text) AS reason,
    (c.condition ->> 'message'::text) AS message,
    ((c.condition ->> 'lastTransitionTime'::text))::timestamp with time zone AS changed_at
   FROM (arc.objects o
     CROSS JOIN LATERAL jsonb_path_query(o.object, '$."status"."conditions"[*]?(@.type() == "object")'::jsonpath) c(condition));

CREATE VIEW arc.objects AS
 SELECT arc.part_of(l.key, 'group'::text) AS api_group,
    arc.part_of(l.key, 'resource'::text) AS resource,
    arc.part_of(l.key, 'namespace'::text) AS namespace,
    arc.part_of(l.key, 'name'::text) AS name,
    l.revision,
    (o.object #>> '{metadata,uid}'::text[]) AS uid,
    ((o.object #>> '{metadata,generation}'::text[]))::bigint AS generation,
    ((o.object #>> '{metadata,creationTimestamp}'::text[]))::timestamp with time zone AS created_at,
    ((o.object #>> '{metadata,deletionTimestamp}'::text[]))::timestamp with time zone AS deleted_at,
    (o.object #> '{metadata,labels}'::text[]) AS labels,
    (o.object #>> '{status,phase}'::text[]) AS phase,
    o.object
   FROM (arc.live l
     CROSS JOIN LATERAL ( SELECT arc.decoded(l.value) AS object
         OFFSET 0) o)
  WHERE (arc.part_of(l.key, 'resource'::text) <> 'secrets'::text);

CREATE VIEW arc.orders AS
 SELECT o.namespace,
    o.name,
    o.uid,
    o.created_at,
    o.deleted_at,
    o.phase,
    (o.object #>> '{status,message}'::text[]) AS message,
    ((o.object #>> '{status,counts,total}'::text[]))::integer AS artifacts,
    ((o.object #>> '{status,counts,succeeded}'::text[]))::integer AS succeeded,
    ((o.object #>> '{status,counts,failed}'::text[]))::integer AS failed,
    ((o.object #>> '{status,counts,running}'::text[]))::integer AS running,
    ((o.object #>> '{status,counts,pending}'::text[]))::integer AS pending,
    ((o.object #>> '{status,counts,blocked}'::text[]))::integer AS blocked
   FROM (arc.objects o
     CROSS JOIN ( SELECT 1 AS "?column?"
         OFFSET 0) one)
  WHERE ((o.resource = 'orders'::text) AND (o.api_group = 'arc.opendefense.cloud'::text));
