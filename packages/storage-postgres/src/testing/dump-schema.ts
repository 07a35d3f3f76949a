import { runStatements } from './database.ts';

/**
 * The definitions of a schema as SQL text, from the catalog of the server: tables with their columns, constraints and
 * settings, indexes, functions, views. The same schema gives the same text on one major version of PostgreSQL.
 */
export async function dumpSchema(url: string, schema: string): Promise<string> {
  const rows = await runStatements(
    url,
    `SELECT text FROM (
      SELECT 1 AS kind, c.relname::text AS name, format(E'CREATE TABLE %s (\\n%s\\n)%s;', c.oid::regclass,
        (SELECT string_agg('  ' || line, E',\\n' ORDER BY rank, position, line) FROM (
          SELECT 1 AS rank, a.attnum AS position, concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attcollation <> t.typcollation THEN format('COLLATE %I', l.collname) END,
            CASE WHEN a.attnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)) AS line
          FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          UNION ALL
          SELECT 2, 0, format('CONSTRAINT %I %s', o.conname, pg_get_constraintdef(o.oid)) FROM pg_constraint o
          WHERE o.conrelid = c.oid AND o.contype <> 'n') lines),
        ' WITH (' || array_to_string(c.reloptions, ', ') || ')') AS text
      FROM pg_class c WHERE c.relnamespace = '${schema}'::regnamespace AND c.relkind = 'r'
      UNION ALL
      SELECT 2, indexname::text, indexdef || ';' FROM pg_indexes i WHERE schemaname = '${schema}'
        AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conname = i.indexname AND o.connamespace = '${schema}'::regnamespace)
      UNION ALL
      SELECT 3, p.oid::regprocedure::text, rtrim(pg_get_functiondef(p.oid), E'\\n') || ';' FROM pg_proc p
      WHERE p.pronamespace = '${schema}'::regnamespace
      UNION ALL
      SELECT 4, c.relname::text, format(E'CREATE VIEW %s AS\\n%s', c.oid::regclass, pg_get_viewdef(c.oid)) FROM pg_class c
      WHERE c.relnamespace = '${schema}'::regnamespace AND c.relkind = 'v'
    ) definitions ORDER BY kind, name COLLATE "C"`,
  );
  return `${rows.map(({ text }) => String(text)).join('\n\n')}\n`;
}
