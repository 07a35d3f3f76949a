import type { Finding } from '@arc/storage';
import { parsePostgresUrl } from './connection-settings.ts';
import { clientConfig, Connections, type Row } from './connections.ts';
import { assertMigrated, type PostgresAccess } from './migrate.ts';

const mostComplaints = 20;

/**
 * Looks for contradictions in a database, also while servers use it.
 *
 * @throws StorageError `BadDatabase`, `Unavailable`
 */
export async function diagnosePostgres(access: PostgresAccess): Promise<readonly Finding[]> {
  const settings = parsePostgresUrl(access.url);
  const { schema } = settings;
  // Comparing everything takes as long as it takes.
  const connections = new Connections(settings, { ...(await clientConfig(settings, access.password)), query_timeout: 0 });
  try {
    await assertMigrated(connections);
    return await connections.transaction(async (query) => {
      await query({ text: 'SET LOCAL statement_timeout = 0' });
      const found = async (text: string): Promise<readonly Row[]> => await query({ text: `${text} LIMIT ${mostComplaints}` });
      const indexes = await found(
        `SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace = to_regnamespace('${schema}') AND NOT i.indisvalid`,
      );
      const contradictions = await found(contradictionsIn(schema));
      const newer = await found(
        `SELECT key, revision FROM ${schema}.live WHERE revision > (SELECT coalesce(max(revision), 0) FROM ${schema}.log)`,
      );
      return [
        ...indexes.map(([name]): Finding => ({
          severity: 'problem',
          check: 'index',
          message: `the index ${String(name)} is not valid, so that it may miss objects`,
          hint: `Build it again: REINDEX INDEX ${schema}.${String(name)}`,
        })),
        ...contradictions.map(([key]) => logProblem(key, 'it is not what the newest change in the log made')),
        ...newer.map(([key, revision]) => ({
          ...logProblem(key, 'it is newer than the newest change in the log'),
          revision: Number(revision),
        })),
      ];
    });
  } finally {
    await connections.end();
  }
}

/** Keys whose newest change in the log is not what is live. The row that only numbers writes has no key. */
function contradictionsIn(schema: string): string {
  return `SELECT g.key FROM (SELECT DISTINCT ON (key) key, revision, value FROM ${schema}.log WHERE key <> '' ORDER BY key, revision DESC) g
    LEFT JOIN ${schema}.live l ON l.key = g.key
    WHERE CASE WHEN g.value IS NULL THEN l.key IS NOT NULL
      ELSE l.revision IS DISTINCT FROM g.revision OR l.value IS DISTINCT FROM g.value END`;
}

function logProblem(key: unknown, message: string): Finding {
  return {
    severity: 'problem',
    check: 'log',
    key: String(key),
    message,
    hint: 'Something else has written the tables. Stop the servers, take a dump of the database as it is, and restore a backup.',
  };
}
