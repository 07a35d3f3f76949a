import { randomUUID } from 'node:crypto';
import { Client, type QueryResult } from 'pg';
import { migratePostgres } from '../migrate.ts';

/** Databases on one server, made and dropped by tests. */
export interface TestDatabases extends AsyncDisposable {
  /** Makes a database and returns its URL. */
  create(options?: { readonly migrated?: boolean }): Promise<string>;
}

/** Makes databases as the user of `adminUrl`, who must be allowed to; drops them in the end where the server stays. */
export function testDatabases(adminUrl: string, { serverStays }: { readonly serverStays: boolean }): TestDatabases {
  const made: string[] = [];
  // A language's order, in which 'B' comes after 'a' and punctuation counts little, shows whatever relies on the database's own.
  const locale = runStatements(adminUrl, `SELECT current_setting('server_version_num')::integer >= 150000 AS icu`).then(([row]) =>
    row?.['icu'] === true ? `LOCALE_PROVIDER icu ICU_LOCALE 'en-US'` : '',
  );
  return {
    async create({ migrated = true } = {}) {
      const name = `arc_test_${randomUUID().replaceAll('-', '')}`;
      await runStatements(adminUrl, `CREATE DATABASE ${name} ENCODING 'UTF8' ${await locale} TEMPLATE template0`);
      made.push(name);
      const url = new URL(adminUrl);
      url.pathname = `/${name}`;
      if (migrated) await migratePostgres({ url: url.href });
      return url.href;
    },
    async [Symbol.asyncDispose]() {
      if (serverStays) for (const name of made) await runStatements(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** Runs statements in the database of a URL and returns the rows of the last one. */
export async function runStatements(url: string, statements: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const result: unknown = await client.query(statements);
    const last = Array.isArray(result) ? (result as QueryResult[]).at(-1) : (result as QueryResult);
    return last?.rows ?? [];
  } finally {
    await client.end();
  }
}

/** The URL with further parameters. */
export function withParameters(url: string, parameters: Readonly<Record<string, string>>): string {
  const changed = new URL(url);
  for (const [name, value] of Object.entries(parameters)) changed.searchParams.set(name, value);
  return changed.href;
}

/** The URL of the same database where another server or proxy listens. */
export function at({ port }: { readonly port: number }, url: string): string {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}
