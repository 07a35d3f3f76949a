import { after, test } from 'node:test';
import type { Store } from '@arc/storage';
import { storeConformance, type StoreAdapter } from '@arc/storage/conformance';
import { missingPgBouncer, missingPostgres, startPgBouncer, startPostgres, type PgBouncer } from '@arc/testkit';
import { migratePostgres } from './migrate.ts';
import { openPostgresStore, type PostgresStoreOptions } from './postgres-store.ts';
import { at, testDatabases, withParameters } from './testing/database.ts';
import { addressOf } from './testing/open-shared.ts';

const given = process.env['ARC_TEST_POSTGRES_URL'];
const skip = given === undefined ? missingPostgres() : undefined;
if (skip !== undefined) test('the PostgreSQL store conforms to the Store port', { skip });
else await conformance();

async function conformance(): Promise<void> {
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const server = given === undefined ? resources.use(await startPostgres({ durable: false })) : undefined;
  const replica = server && resources.use(await server.startReplica());
  const adminUrl = given ?? server?.url('postgres') ?? '';
  const databases = resources.use(testDatabases(adminUrl, { serverStays: given !== undefined }));
  const url = await databases.create({ migrated: false });
  const urls = new Map<Store, string>();
  let schemas = 0;

  const open = async (url: string, options: Pick<PostgresStoreOptions, 'readUrl'>): Promise<Store> => {
    const store = await openPostgresStore({ url, ...options });
    urls.set(store, url);
    return store;
  };

  interface Way {
    /** Of the URL. */
    readonly parameters?: Readonly<Record<string, string>>;
    readonly readUrl?: string;
    readonly bouncer?: PgBouncer;
  }

  const adapter = ({ parameters = {}, bouncer, ...options }: Way = {}): StoreAdapter => ({
    /** A schema is made much faster than a database. */
    open: async () => {
      const own = withParameters(url, { ...parameters, schema: `conformance_${schemas++}` });
      await migratePostgres({ url: own });
      return await open(bouncer === undefined ? own : at(bouncer, own), options);
    },
    reopen: async (store) => {
      await store[Symbol.asyncDispose]();
      return await open(urls.get(store) ?? '', options);
    },
    sharing: {
      module: new URL('testing/open-shared.ts', import.meta.url),
      /** Of three servers, the last behind a pooler, where nothing tells of changes. */
      addressesOf(store) {
        const shared = { url: urls.get(store) ?? '', ...options };
        return [shared, shared, { ...shared, url: withParameters(shared.url, { pgbouncer: 'true' }) }].map(addressOf);
      },
    },
  });

  storeConformance('the PostgreSQL store', adapter());
  storeConformance('the PostgreSQL store that keeps no session', adapter({ parameters: { pgbouncer: 'true' } }));
  if (replica === undefined) test('the PostgreSQL store with a replica', { skip: 'the given server has none' });
  else storeConformance('the PostgreSQL store with a replica', adapter({ readUrl: at(replica, url) }));
  const missing = server === undefined ? 'PgBouncer is started before a server of our own' : missingPgBouncer();
  if (server === undefined || missing !== undefined) {
    test('the PostgreSQL store behind PgBouncer', { skip: missing });
  } else {
    const bouncer = resources.use(await startPgBouncer(server));
    storeConformance('the PostgreSQL store behind PgBouncer', adapter({ parameters: { pgbouncer: 'true' }, bouncer }));
  }
}
