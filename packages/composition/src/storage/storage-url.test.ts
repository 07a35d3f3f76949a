import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UsageError } from '@arc/cli-kit';
import { openStore, parseStorageUrl } from './storage-url.ts';

test('parseStorageUrl reads files and memory', () => {
  assert.deepEqual(parseStorageUrl('memory:'), { kind: 'memory' });
  assert.deepEqual(parseStorageUrl('sqlite:./arc.db'), { kind: 'sqlite', file: './arc.db' });
  assert.deepEqual(parseStorageUrl('sqlite:/var/lib/arc.db'), { kind: 'sqlite', file: '/var/lib/arc.db' });
  assert.deepEqual(parseStorageUrl('sqlite:///var/lib/arc.db'), { kind: 'sqlite', file: '/var/lib/arc.db' });
});

test('parseStorageUrl passes the URL of a database on', () => {
  for (const url of ['postgres://arc@db/arc', 'postgresql://arc@db/arc?sslmode=require']) {
    assert.deepEqual(parseStorageUrl(url), { kind: 'postgres', url });
  }
  const url = 'etcd://a:2379,b:2379?prefix=/registry/arc.opendefense.cloud';
  assert.deepEqual(parseStorageUrl(url), { kind: 'etcd', url });
});

test('parseStorageUrl names what it takes when it refuses, and never shows a password', () => {
  const hint = 'Write sqlite:FILE, postgres://USER@HOST:PORT/DATABASE, etcd://HOST:PORT[,HOST:PORT] or memory:';
  for (const url of ['', 'sqlite:', 'mysql://u:s3cret@x', 'memory', 'arc.db', 'postgres:', 'postgres:arc']) {
    assert.throws(
      () => parseStorageUrl(url),
      (error: UsageError) => {
        assert.equal(error.hint, hint, url);
        assert.equal(error.message.includes('s3cret'), false);
        return true;
      },
    );
  }
});

test('the URL of a database that cannot be used is refused when it is opened', async () => {
  const opening = openStore(parseStorageUrl('postgres://u:s3cret@h/d?sslmode=prefer'), { signal: new AbortController().signal });
  await assert.rejects(opening, { code: 'InvalidStorageUrl', message: /sslmode cannot be prefer/ });
  const etcd = openStore(parseStorageUrl('etcd://u:s3cret@h:1?nope=1'), { signal: new AbortController().signal });
  await assert.rejects(etcd, { code: 'InvalidStorageUrl', message: /no parameter "nope"/ });
});

test('only a database with replicas takes a URL to read from', async () => {
  const { signal } = new AbortController();
  for (const url of ['memory:', 'etcd://h:1']) {
    await assert.rejects(openStore(parseStorageUrl(url), { signal, readUrl: 'postgres://u:s3cret@h/d' }), {
      code: 'Usage',
      message: 'only PostgreSQL has a replica to read from',
    });
  }
  const other = openStore(parseStorageUrl('postgres://u@127.0.0.1:1/d'), { signal, readUrl: 'mysql://u:s3cret@h/d' });
  await assert.rejects(other, { code: 'Unavailable' });
});
