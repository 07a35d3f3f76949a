import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { UnstructuredObject, WatchEvent } from '@arc/apimachinery';
import * as pki from '@arc/pki';
import { migratePostgres, openPostgresStore } from '@arc/storage-postgres';
import type { PostgresStoreOptions } from '@arc/storage-postgres';
import { missingPgBouncer, missingPostgres, startPgBouncer, startPostgres } from '@arc/testkit';
import type { PostgresServer } from '@arc/testkit';
import { widget } from './testing/kinds.ts';
import type { TestClient, TestWatch } from './testing/test-client.ts';
import { startTestServer } from './testing/test-server.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
const skip = missingPostgres();

suite('several API servers on one database', { skip }, async () => {
  if (skip !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const database = resources.use(await startPostgres({ durable: false }));
  await database.createDatabase('arc');
  const replica = resources.use(await database.startReplica());
  const urlOf = (server: PostgresServer, schema: string): string => `${server.url('arc')}&schema=${schema}`;
  const migrated = async (schema: string): Promise<string> => {
    const url = urlOf(database, schema);
    await migratePostgres({ url });
    return url;
  };

  agree('that are told of changes', async () => ({ url: await migrated('told') }));
  agree('that read from a replica', async () => ({ url: await migrated('replicated'), readUrl: urlOf(replica, 'replicated') }));
  const missing = missingPgBouncer();
  if (missing === undefined) {
    const bouncer = resources.use(await startPgBouncer(database));
    agree('behind PgBouncer', async () => {
      const url = new URL(await migrated('pooled'));
      url.port = String(bouncer.port);
      url.searchParams.set('pgbouncer', 'true');
      return { url: url.href };
    });
  } else {
    test('that are behind PgBouncer', { skip: missing });
  }
});

/** Registers the tests with three servers that share a database, each with a cache and a listener of its own. */
function agree(which: string, storage: () => Promise<Pick<PostgresStoreOptions, 'url' | 'readUrl'>>): void {
  suite(which, () => {
    const resources = new AsyncDisposableStack();
    let clients: readonly TestClient[] = [];
    before(async () => {
      const options = await storage();
      const started: TestClient[] = [];
      for (let n = 0; n < 3; n++) {
        const store = resources.use(await openPostgresStore(options));
        started.push(resources.use(await startTestServer(pki, { store })).admin);
      }
      clients = started;
    });
    after(() => resources.disposeAsync());

    test('a write accepted by one is in the next GET and LIST of every other', async () => {
      for (let n = 0; n < 30; n++) {
        const name = `seen-${n}`;
        const answer = await clientAt(clients, n).post(widgets, widget(name));
        assert.equal(answer.code, 201, answer.text);
        const version = versionOf(answer.object());
        await Promise.all(
          clients.map(async (client) => {
            const [got, listed] = await Promise.all([client.get(`${widgets}/${name}`), client.get(widgets)]);
            assert.equal(got.code, 200, got.text);
            assert.equal(versionOf(got.object()), version);
            const { metadata, items } = listOf(listed.object());
            assert.equal(items.filter((item) => item.metadata.name?.startsWith('seen-')).length, n + 1);
            assert.ok(Number(metadata.resourceVersion) >= version);
          }),
        );
      }
    });

    test('watches of each see every change once and in order', async () => {
      const from = listOf((await clientAt(clients, 0).get(`${widgets}?limit=1`)).object()).metadata.resourceVersion;
      await using watches = new AsyncDisposableStack();
      const opened: TestWatch[] = [];
      for (const client of clients) {
        for (let n = 0; n < 2; n++) opened.push(watches.use(await client.watch(`${widgets}?watch=true&resourceVersion=${from}`)));
      }
      const writing = clients.flatMap((client, server) =>
        Array.from({ length: 4 }, async (_, writer) => {
          for (let n = 0; n < 10; n++) {
            const path = `${widgets}/watched-${server}-${writer}-${n}`;
            assert.equal((await client.post(widgets, widget(path.slice(widgets.length + 1)))).code, 201);
            assert.equal((await clientAt(clients, server + 1).send('DELETE', path)).code, 200, 'another server has it at once');
          }
        }),
      );
      await Promise.all(writing);
      const seen = await Promise.all(opened.map((watch) => take(watch, 240)));
      const [first = [], ...others] = seen;
      const versions = first.map(({ version }) => version);
      assert.deepEqual(
        versions,
        [...new Set(versions)].sort((a, b) => a - b),
      );
      for (const name of new Set(first.map(({ name }) => name))) {
        const types = first.filter((event) => event.name === name).map(({ type }) => type);
        assert.deepEqual(types, ['ADDED', 'DELETED'], name);
      }
      for (const other of others) assert.deepEqual(other, first);
    });

    test('of updates that were made of one version, one wins and the others are conflicts', async () => {
      await clientAt(clients, 0).post(widgets, widget('contended', { size: 1 }));
      for (let round = 0; round < 10; round++) {
        const current = (await clientAt(clients, round).get(`${widgets}/contended`)).object();
        const answers = await Promise.all(
          clients.map((client, n) =>
            client.send('PUT', `${widgets}/contended`, { body: { ...current, spec: { size: 100 * round + 2 * n + 11 } } }),
          ),
        );
        assert.deepEqual(answers.map(({ code }) => code).sort(), [200, 409, 409]);
        const won = answers.find(({ code }) => code === 200)?.object();
        for (const client of clients) {
          assert.deepEqual((await client.get(`${widgets}/contended`)).object()['spec'], won?.['spec']);
        }
        assert.ok(answers.filter(({ code }) => code === 409).every((answer) => answer.status().reason === 'Conflict'));
      }
    });

    test('creations of one name through all servers: one creates it, the others find it there', async () => {
      for (let round = 0; round < 5; round++) {
        const answers = await Promise.all(clients.map((client) => client.post(widgets, widget(`only-${round}`))));
        assert.deepEqual(answers.map(({ code }) => code).sort(), [201, 409, 409]);
        assert.ok(answers.filter(({ code }) => code === 409).every((answer) => answer.status().reason === 'AlreadyExists'));
      }
    });

    test('a continue token of one goes on at the others, in the same snapshot', async () => {
      for (let n = 0; n < 9; n++) await clientAt(clients, n).post(widgets, widget(`paged-${n}`, { color: 'paged' }));
      const query = `${widgets}?limit=3`;
      const expected = namesIn((await clientAt(clients, 0).get(widgets)).object());
      const names: string[] = [];
      let token = '';
      for (let page = 0; page === 0 || token !== ''; page++) {
        const answer = await clientAt(clients, page).get(token === '' ? query : `${query}&continue=${encodeURIComponent(token)}`);
        assert.equal(answer.code, 200, answer.text);
        names.push(...namesIn(answer.object()));
        token = listOf(answer.object()).metadata.continue ?? '';
        // What comes after the first page was read is not in the others.
        await clientAt(clients, page + 1).post(widgets, widget(`zz-late-${page}`));
      }
      assert.deepEqual(names, expected);
    });
  });
}

function clientAt(clients: readonly TestClient[], n: number): TestClient {
  const client = clients[n % clients.length];
  if (client === undefined) throw new Error('the servers have not been started');
  return client;
}

interface ListBody {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly UnstructuredObject[];
}

function listOf(body: unknown): ListBody {
  return body as ListBody;
}

function namesIn(body: unknown): readonly string[] {
  return listOf(body).items.map(({ metadata }) => metadata.name ?? '');
}

function versionOf({ metadata }: UnstructuredObject): number {
  return Number(metadata.resourceVersion);
}

interface Seen {
  readonly type: string;
  readonly name: string;
  readonly version: number;
}

async function take(watch: TestWatch, count: number): Promise<readonly Seen[]> {
  const events: Seen[] = [];
  while (events.length < count) {
    const event: WatchEvent | undefined = await watch.next();
    assert.ok(event !== undefined, `the watch ended after ${events.length} events`);
    events.push({ type: event.type, name: event.object.metadata.name ?? '', version: versionOf(event.object) });
  }
  return events;
}
