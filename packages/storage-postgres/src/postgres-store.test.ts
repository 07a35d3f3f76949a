import { after, test } from 'node:test';
import type { Store } from '@arc/storage';
import { storeConformance } from '@arc/storage/conformance';
import { missingPostgres, startPostgres } from '@arc/testkit';
import { migratePostgres } from './migrate.ts';
import { openPostgresStore } from './postgres-store.ts';
import { testDatabases, withParameters } from './testing/database.ts';

const given = process.env['ARC_TEST_POSTGRES_URL'];
const skip = given === undefined ? missingPostgres() : undefined;
if (skip !== undefined) test('the PostgreSQL store conforms to the Store port', { skip });
else await conformance();

async function conformance(): Promise<void> {
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const adminUrl = given ?? resources.use(await startPostgres({ durable: false })).url('postgres');
  const databases = resources.use(testDatabases(adminUrl, { serverStays: given !== undefined }));
  const url = await databases.create({ migrated: false });
  const urls = new Map<Store, string>();
  let schemas = 0;

  const open = async (url: string): Promise<Store> => {
    const store = await openPostgresStore({ url });
    urls.set(store, url);
    return store;
  };
  const reopen = async (store: Store): Promise<Store> => {
    await store[Symbol.asyncDispose]();
    return await open(urls.get(store) ?? '');
  };

  /** A schema is made much faster than a database. */
  const openEmpty = async (parameters: Readonly<Record<string, string>>): Promise<Store> => {
    const own = withParameters(url, { ...parameters, schema: `conformance_${schemas++}` });
    await migratePostgres({ url: own });
    return await open(own);
  };

  /** Three servers, the last behind a pooler, where nothing tells of changes. */
  const sharing = {
    module: new URL('testing/open-shared.ts', import.meta.url),
    addressesOf(store: Store) {
      const url = urls.get(store) ?? '';
      return [url, url, withParameters(url, { pgbouncer: 'true' })];
    },
  };

  storeConformance('the PostgreSQL store', { open: () => openEmpty({}), reopen, sharing });
  storeConformance('the PostgreSQL store behind a pooler', { open: () => openEmpty({ pgbouncer: 'true' }), reopen, sharing });
}
