import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDatabase, parsePostgresUrl } from './connection-settings.ts';

test('a URL names host, user and database, and everything else has a default', () => {
  assert.deepEqual(parsePostgresUrl('postgres://arc@db.example/artifacts'), {
    host: 'db.example',
    port: 5432,
    user: 'arc',
    database: 'artifacts',
    password: undefined,
    passwordFile: undefined,
    schema: 'arc',
    ssl: { mode: 'verify-full', rootCertificate: undefined, certificate: undefined, key: undefined },
    applicationName: 'arc',
    statementTimeoutMs: 15_000,
    connectTimeoutMs: 10_000,
    poolSize: 10,
    pooler: false,
  });
});

test('every part can be given', () => {
  const url =
    'postgresql://us%40er:p%2Fw%40d@[2001:db8::1]:6432/d%20b?sslmode=verify-ca&sslrootcert=/ca.pem&sslcert=/c.pem&sslkey=/k.pem' +
    '&passwordfile=/run/pw&schema=arc_two&application_name=one&statement_timeout=2000&connect_timeout=3&pool_size=4&pgbouncer=true';
  assert.deepEqual(parsePostgresUrl(url), {
    host: '2001:db8::1',
    port: 6432,
    user: 'us@er',
    database: 'd b',
    password: 'p/w@d',
    passwordFile: '/run/pw',
    schema: 'arc_two',
    ssl: { mode: 'verify-ca', rootCertificate: '/ca.pem', certificate: '/c.pem', key: '/k.pem' },
    applicationName: 'one',
    statementTimeoutMs: 2000,
    connectTimeoutMs: 3000,
    poolSize: 4,
    pooler: true,
  });
});

test('TLS is checked fully, except where nothing leaves the machine', () => {
  const mode = (url: string): string => parsePostgresUrl(url).ssl.mode;
  assert.equal(mode('postgres://u@10.0.0.1/d'), 'verify-full');
  assert.equal(mode('postgres://u@localhost.example/d'), 'verify-full');
  assert.equal(mode('postgres://u@localhost/d'), 'disable');
  assert.equal(mode('postgres://u@127.0.0.2/d'), 'disable');
  assert.equal(mode('postgres://u@[::1]/d'), 'disable');
  assert.equal(mode('postgres://u@localhost/d?host=/run/postgresql'), 'disable');
  assert.equal(mode('postgres://u@localhost/d?sslmode=require'), 'require');
});

test('what cannot be used is refused with the reason and a way out, never with the password', () => {
  const refused: readonly (readonly [url: string, why: RegExp])[] = [
    ['mysql://u@h/d', /not a URL of PostgreSQL/],
    ['postgres:', /names no host/],
    ['postgres://h/d', /names no user/],
    ['postgres://u:s3cret@h', /names no database/],
    ['postgres://u:s3cret@h:port/d', /not a URL of PostgreSQL/],
    ['postgres://u:%zz-s3cret@h/d', /malformed %-escape/],
    ['postgres://u:p@s/s3cret@h/d', /an @ or a \/ in the name of the database/],
    ['postgres://u:s3cret@h1,h2/d', /several hosts/],
    ['postgres://u:s3cret@h/d?statement_timeout=5s', /statement_timeout has to be a whole number from 100/],
    ['postgres://u:s3cret@h/d?sslmode=prefer', /sslmode cannot be prefer/],
    ['postgres://u:s3cret@h/d?sslmod=require', /unknown parameter sslmod/],
    ['postgres://u:s3cret@h/d?sslcert=/c', /sslcert and sslkey belong together/],
    ['postgres://u:s3cret@h/d?pool_size=1', /pool_size has to be a whole number from 2/],
    ['postgres://u:s3cret@h/d?pgbouncer=yes', /pgbouncer has to be true or false/],
    ['postgres://u:s3cret@h/d?schema=a&schema=b', /schema twice/],
    ['postgres://u:s3cret@h/d?schema=Robert"); DROP TABLE x', /cannot be the name of a schema/],
    ['postgres://u:s3cret@h/d?schema=pg_catalog', /cannot be the name of a schema/],
  ];
  for (const [url, why] of refused) {
    assert.throws(
      () => parsePostgresUrl(url),
      (error: Error & { hint: string }) => {
        assert.match(error.message, why, url);
        assert.ok(error.hint.length > 10);
        assert.equal(`${error.message} ${error.hint}`.includes('s3cret'), false);
        return true;
      },
    );
  }
});

test('a database is described without its password', () => {
  assert.equal(describeDatabase(parsePostgresUrl('postgres://u:s3cret@h/d')), 'postgres://u@h:5432/d');
  assert.equal(describeDatabase(parsePostgresUrl('postgres://u:s3cret@[::1]/d')), 'postgres://u@[::1]:5432/d');
});
