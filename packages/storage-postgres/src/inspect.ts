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
  /** Undefined unless the schema has the wanted version. */
  readonly content:
    | {
        readonly revision: number;
        readonly compactedRevision: number;
        readonly objects: number;
        readonly changes: number;
        /** Of tables and indexes on disk. */
        readonly bytes: number;
      }
    | undefined;
}

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
    const [[serverVersion] = []] = await connections.query({ text: "SELECT current_setting('server_version')" });
    const version = await schemaVersionOf(connections);
    const head = { serverVersion: String(serverVersion), schema, schemaVersion: version, wantedVersion: schemaVersion };
    if (version !== schemaVersion) return { ...head, content: undefined };
    const { facts, size } = statementsFor(schema);
    const [[revision, compactedRevision] = []] = await connections.query({ text: facts });
    const [[objects, changes, bytes] = []] = await connections.query({ text: size });
    return {
      ...head,
      content: {
        revision: Number(revision),
        compactedRevision: Number(compactedRevision),
        objects: Number(objects),
        changes: Number(changes),
        bytes: Number(bytes),
      },
    };
  } finally {
    await connections.end();
  }
}
