import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import { missingPostgres, startPostgres } from '@arc/testkit';
import { Client } from 'pg';
import { migratePostgres } from './migrate.ts';
import { openPostgresStore } from './postgres-store.ts';
import { runStatements, testDatabases, withParameters } from './testing/database.ts';

const skip = missingPostgres();

suite('opening a database', { skip }, async () => {
  if (skip !== undefined) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const directory = mkdtempSync(join(tmpdir(), 'arc-postgres-opening-'));
  resources.defer(() => rmSync(directory, { recursive: true, force: true }));
  const authority = createAuthority({ commonName: 'authority of the test' });
  const foreignAuthority = createAuthority({ commonName: 'another one' });
  const server = resources.use(
    await startPostgres({
      durable: false,
      tls: {
        ...issueServerCertificate(authority, { names: ['localhost'], addresses: [] }),
        clientCaPem: authority.certPem,
      },
      accessRules: ['hostssl all all all cert', 'hostnossl all secured all scram-sha-256', 'hostnossl all all all trust'],
    }),
  );
  const databases = resources.use(testDatabases(server.url('postgres'), { serverStays: false }));
  const url = await databases.create();

  const save = (name: string, content: string): string => {
    const file = join(directory, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  const client = issueClientCertificate(authority, { user: 'postgres', groups: [] });
  const own = { sslcert: save('client.pem', client.certPem), sslkey: save('client.key', client.keyPem) };
  const trusted = { sslrootcert: save('ca.pem', authority.certPem) };
  const untrusted = { sslrootcert: save('other.pem', foreignAuthority.certPem) };

  async function opens(url: string, password?: string): Promise<void> {
    await using store = await openPostgresStore({ url, ...(password !== undefined && { password }) });
    assert.equal(await store.compactedRevision(), 0);
  }

  /** Rejects with `code`, a message that names the database, and something to do about it; never with a password. */
  async function refuses(url: string, code: string, message: RegExp): Promise<void> {
    await assert.rejects(opens(url), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      assert.match(error.message, /postgres:\/\/\w+@/);
      assert.ok(error.hint.length > 10, error.hint);
      assert.equal(error.message.includes('s3cret'), false);
      return true;
    });
  }

  function at(host: string, parameters: Readonly<Record<string, string>>): string {
    const changed = new URL(withParameters(url, parameters));
    changed.hostname = host;
    return changed.href;
  }

  test('sslmode decides what is checked of the server', async () => {
    await opens(at('127.0.0.1', { sslmode: 'disable' }));
    await opens(at('127.0.0.1', { sslmode: 'require', ...own }));
    await opens(at('127.0.0.1', { sslmode: 'verify-ca', ...trusted, ...own }));
    await opens(at('localhost', { sslmode: 'verify-full', ...trusted, ...own }));
    await refuses(at('127.0.0.1', { sslmode: 'verify-full', ...trusted, ...own }), 'Unavailable', /no certificate that can be trusted/);
    await refuses(at('localhost', { sslmode: 'verify-ca', ...own }), 'Unavailable', /can be trusted: [^;]+$/);
    for (const sslmode of ['verify-ca', 'verify-full']) {
      await refuses(at('localhost', { sslmode, ...untrusted, ...own }), 'Unavailable', /no certificate that can be trusted/);
      await refuses(at('localhost', { sslmode, ...own }), 'Unavailable', /no certificate that can be trusted/);
    }
  });

  test('a server that wants a client certificate gets the one of the URL', async () => {
    await refuses(at('127.0.0.1', { sslmode: 'require' }), 'Unavailable', /refuses the login/);
    await assert.rejects(opens(at('127.0.0.1', { sslmode: 'require', sslcert: '/nowhere.pem', sslkey: '/nowhere.key' })), {
      code: 'UnreadableFile',
      message: /client certificate cannot be read/,
    });
    const unusable = { code: 'UnreadableFile', message: /TLS files that the storage URL names cannot be used/ };
    await assert.rejects(opens(at('127.0.0.1', { sslmode: 'require', ...own, sslkey: own.sslcert })), unusable);
    await assert.rejects(opens(at('127.0.0.1', { sslmode: 'verify-ca', ...own, sslrootcert: save('none.pem', 'none') })), unusable);
  });

  test('the password comes from the URL, the file it names, or the caller', async () => {
    await runStatements(
      url,
      `CREATE ROLE secured LOGIN PASSWORD 's3cret'; GRANT USAGE ON SCHEMA arc TO secured;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA arc TO secured`,
    );
    const secured = new URL(url);
    secured.username = 'secured';
    await refuses(secured.href, 'Unavailable', /wants a password, and there is none/);
    await opens(secured.href, 's3cret');
    await opens(withParameters(secured.href, { passwordfile: save('password', 's3cret\n') }));
    secured.password = 'wrong';
    await refuses(secured.href, 'Unavailable', /refuses the login/);
    secured.password = 's3cret';
    await opens(secured.href);
    await using store = await openPostgresStore({ url: secured.href });
    const [outcome] = await store.commit([{ key: '/a', expect: 'absent', value: Buffer.from('x') }]);
    assert.ok(outcome?.committed, 'a role with rights to the tables only can write');
    await store.commit([{ key: '/a', expect: outcome.revision, value: null }]);
  });

  test('a schema that is missing, foreign or newer is refused and left alone', async () => {
    const empty = await databases.create({ migrated: false });
    await refuses(empty, 'BadDatabase', /has no schema arc of ARC/);
    const foreign = await databases.create({ migrated: false });
    await runStatements(foreign, 'CREATE SCHEMA arc; CREATE TABLE arc.bookmarks (url text)');
    await refuses(foreign, 'BadDatabase', /the schema arc of \S+ is not one of ARC/);
    await assert.rejects(migratePostgres({ url: foreign }), { code: 'BadDatabase', message: /is not one of ARC/ });
    const newer = await databases.create();
    await runStatements(newer, "INSERT INTO arc.migrations (version, name) VALUES (99, 'from the future')");
    await refuses(newer, 'BadDatabase', /version 99, written by a newer ARC/);
    await assert.rejects(migratePostgres({ url: newer }), { code: 'BadDatabase', message: /newer ARC/ });
  });

  test('a database that is not there, of another encoding, or out of reach says so', async () => {
    const missing = new URL(url);
    missing.pathname = '/missing';
    await refuses(missing.href, 'BadDatabase', /does not exist/);
    await runStatements(url, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    const latin = new URL(url);
    latin.pathname = '/latin';
    await assert.rejects(migratePostgres({ url: latin.href }), { code: 'BadDatabase', message: /encoded as LATIN1, not UTF8/ });
    const closed = new URL(url);
    closed.port = '1';
    await refuses(closed.href, 'Unavailable', /cannot be reached/);
  });

  test('a role without the rights is told which', async () => {
    await runStatements(url, 'CREATE ROLE stranger LOGIN');
    const stranger = new URL(url);
    stranger.username = 'stranger';
    await refuses(stranger.href, 'BadDatabase', /does not let this user/);
  });

  test('a database that accepts no writes refuses them and serves reads', async () => {
    const frozen = await databases.create();
    await using store = await openPostgresStore({ url: frozen });
    await store.commit([{ key: '/a', expect: 'absent', value: Buffer.from('x') }]);
    const name = new URL(frozen).pathname.slice(1);
    await runStatements(url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await using late = await openPostgresStore({ url: frozen });
    await assert.rejects(late.commit([{ key: '/b', expect: 'absent', value: Buffer.from('x') }]), {
      code: 'Unavailable',
      message: /accepts no writes/,
      retryable: true,
    });
    assert.equal((await late.get('/a'))?.revision, 1);
    assert.equal(await late.get('/b'), undefined);
  });

  test('a slow database is Unavailable after the statement timeout, and nothing was written', async () => {
    const slow = await databases.create();
    for (const pgbouncer of ['false', 'true']) {
      await using store = await openPostgresStore({ url: withParameters(slow, { statement_timeout: '200', pgbouncer }) });
      const blocker = new Client({ connectionString: slow });
      await blocker.connect();
      await blocker.query('BEGIN; SELECT arc.take_writer_lock()');
      await assert.rejects(store.commit([{ key: '/a', expect: 'absent', value: Buffer.from('x') }]), {
        code: 'Unavailable',
        message: /did not answer in time/,
      });
      await blocker.end();
      assert.equal(await store.currentRevision(), 0);
    }
  });

  test('opening can be given up', async () => {
    await assert.rejects(openPostgresStore({ url, signal: AbortSignal.abort(new Error('changed my mind')) }), /changed my mind/);
  });
});
