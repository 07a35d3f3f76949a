import { decodePlan, ResourceCounts } from '@arc/storage';
import { parsePostgresUrl } from './connection-settings.ts';
import { clientConfig, Connections } from './connections.ts';
import { schemaVersionOf, type PostgresAccess } from './migrate.ts';
import { schemaVersion } from './migrations/all.ts';
import { statementsFor } from './statements.ts';

/** What a database holds, for people who run it. */
export interface PostgresStatus {
  readonly serverVersion: string;
  readonly schema: string;
  /** 0 when it was not migrated yet. */
  readonly schemaVersion: number;
  /** What this program works with. */
  readonly wantedVersion: number;
  /** Sessions of others in this database: servers, poolers, people. */
  readonly otherSessions: number;
  /** Those of them that call themselves as this one does: servers of ARC, unless a pooler keeps what servers have left. */
  readonly namesakes: number;
  /** Undefined unless the schema has the wanted version. */
  readonly content:
    | {
        readonly revision: number;
        readonly compactedRevision: number;
        readonly objects: number;
        /** Objects by resource, as in `orders.arc.opendefense.cloud`. */
        readonly resources: Readonly<Record<string, number>>;
        readonly changes: number;
        /** Of tables and indexes on disk. */
        readonly bytes: number;
        /** The command that goes on with a copy into it that has not been finished. */
        readonly unfinished: string | undefined;
      }
    | undefined;
}

/** The pool of one inspection has one connection. */
const headline = `SELECT current_setting('server_version'), count(*), count(*) FILTER (WHERE application_name = current_setting('application_name'))
  FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`;

/**
 * Looks at a database without opening it as a store, also at one that was not migrated.
 *
 * @throws StorageError `Unavailable`, `BadDatabase` when the schema is not of ARC
 */
export async function inspectPostgres(access: PostgresAccess): Promise<PostgresStatus> {
  const settings = parsePostgresUrl(access.url);
  const { schema } = settings;
  const connections = new Connections(settings, await clientConfig(settings, access.password));
  try {
    const [[serverVersion, otherSessions, namesakes] = []] = await connections.query({ text: headline });
    const version = await schemaVersionOf(connections);
    const head = {
      serverVersion: String(serverVersion),
      otherSessions: Number(otherSessions),
      namesakes: Number(namesakes),
      schema,
      schemaVersion: version,
      wantedVersion: schemaVersion,
    };
    if (version !== schemaVersion) return { ...head, content: undefined };
    const { facts, size, resources } = statementsFor(schema);
    const [[revision, compactedRevision] = []] = await connections.query({ text: facts });
    const [[objects, changes, bytes] = []] = await connections.query({ text: size });
    const counts = new ResourceCounts();
    for (const [key, count] of await connections.query({ text: resources })) counts.add(String(key), Number(count));
    const [[plan] = []] = await connections.query({ text: `SELECT plan FROM ${schema}.import` });
    return {
      ...head,
      content: {
        revision: Number(revision),
        compactedRevision: Number(compactedRevision),
        objects: Number(objects),
        changes: Number(changes),
        bytes: Number(bytes),
        resources: counts.toRecord(),
        unfinished: plan === undefined ? undefined : decodePlan(String(plan)).command,
      },
    };
  } finally {
    await connections.end();
  }
}
