import type { Migration } from './migration.ts';

/**
 * Views for reporting. They join, so that PostgreSQL refuses writes through them, and leave out Secrets. An object that is
 * not valid JSON has NULL in every column that would come from it.
 */
export const reportingViews: Migration = {
  version: 2,
  name: 'reporting views',
  sql: (schema) => `
CREATE FUNCTION ${schema}.decoded(value bytea) RETURNS jsonb LANGUAGE plpgsql STABLE STRICT AS $function$
BEGIN
  RETURN convert_from(value, 'UTF8')::jsonb;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END
$function$;

CREATE FUNCTION ${schema}.part_of(key text, part text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
  SELECT CASE part
    WHEN 'group' THEN split_part(key, '/', 3)
    WHEN 'resource' THEN split_part(key, '/', 4)
    WHEN 'namespace' THEN CASE WHEN split_part(key, '/', 6) = '' THEN '' ELSE split_part(key, '/', 5) END
    ELSE CASE WHEN split_part(key, '/', 6) = '' THEN split_part(key, '/', 5) ELSE split_part(key, '/', 6) END
  END
$function$;

CREATE INDEX live_by_name ON ${schema}.live
  (${schema}.part_of(key, 'resource'), ${schema}.part_of(key, 'namespace'), ${schema}.part_of(key, 'name'));

CREATE VIEW ${schema}.objects AS
SELECT ${schema}.part_of(l.key, 'group') AS api_group,
  ${schema}.part_of(l.key, 'resource') AS resource,
  ${schema}.part_of(l.key, 'namespace') AS namespace,
  ${schema}.part_of(l.key, 'name') AS name,
  l.revision,
  o.object #>> '{metadata,uid}' AS uid,
  (o.object #>> '{metadata,generation}')::bigint AS generation,
  (o.object #>> '{metadata,creationTimestamp}')::timestamptz AS created_at,
  (o.object #>> '{metadata,deletionTimestamp}')::timestamptz AS deleted_at,
  o.object #> '{metadata,labels}' AS labels,
  o.object #>> '{status,phase}' AS phase,
  o.object
FROM ${schema}.live l CROSS JOIN LATERAL (SELECT ${schema}.decoded(l.value) AS object OFFSET 0) o
WHERE ${schema}.part_of(l.key, 'resource') <> 'secrets';

CREATE VIEW ${schema}.conditions AS
SELECT o.api_group, o.resource, o.namespace, o.name,
  c.condition ->> 'type' AS type,
  c.condition ->> 'status' AS status,
  c.condition ->> 'reason' AS reason,
  c.condition ->> 'message' AS message,
  (c.condition ->> 'lastTransitionTime')::timestamptz AS changed_at
FROM ${schema}.objects o
CROSS JOIN LATERAL jsonb_path_query(o.object, 'lax $.status.conditions[*] ? (@.type() == "object")') AS c (condition);

CREATE VIEW ${schema}.orders AS
SELECT o.namespace, o.name, o.uid, o.created_at, o.deleted_at, o.phase,
  o.object #>> '{status,message}' AS message,
  (o.object #>> '{status,counts,total}')::integer AS artifacts,
  (o.object #>> '{status,counts,succeeded}')::integer AS succeeded,
  (o.object #>> '{status,counts,failed}')::integer AS failed,
  (o.object #>> '{status,counts,running}')::integer AS running,
  (o.object #>> '{status,counts,pending}')::integer AS pending,
  (o.object #>> '{status,counts,blocked}')::integer AS blocked
FROM ${schema}.objects o CROSS JOIN (SELECT 1 OFFSET 0) one
WHERE o.resource = 'orders' AND o.api_group = 'arc.opendefense.cloud';

CREATE VIEW ${schema}.artifacts AS
SELECT o.namespace, o.name, o.uid, o.created_at, o.phase,
  o.object #>> '{spec,type}' AS type,
  o.object #>> '{spec,srcRef,name}' AS source,
  o.object #>> '{spec,dstRef,name}' AS destination,
  o.object #>> '{status,reason}' AS reason,
  o.object #>> '{status,message}' AS message,
  (o.object #>> '{status,startTime}')::timestamptz AS started_at,
  (o.object #>> '{status,completionTime}')::timestamptz AS completed_at
FROM ${schema}.objects o CROSS JOIN (SELECT 1 OFFSET 0) one
WHERE o.resource = 'artifactworkflows' AND o.api_group = 'arc.opendefense.cloud';
`,
};
