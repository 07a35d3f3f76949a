import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inRegion, objectURL, parseBucketURL } from './bucket-location.ts';

test('addresses of buckets are read, and objects have their URLs', () => {
  for (const [text, object, region] of [
    ['s3://artifacts', 'https://artifacts.s3.us-east-1.amazonaws.com/a%20b', undefined],
    ['s3://my.bucket/some/prefix/', 'https://s3.us-east-1.amazonaws.com/my.bucket/some/prefix/a%20b', undefined],
    ['https://artifacts.s3.eu-central-1.amazonaws.com/x', 'https://artifacts.s3.eu-central-1.amazonaws.com/x/a%20b', 'eu-central-1'],
    ['https://s3.eu-central-1.amazonaws.com/artifacts', 'https://artifacts.s3.eu-central-1.amazonaws.com/a%20b', 'eu-central-1'],
    ['https://s3-us-gov-west-1.amazonaws.com/artifacts', 'https://artifacts.s3.us-gov-west-1.amazonaws.com/a%20b', 'us-gov-west-1'],
    ['https://artifacts.s3.cn-north-1.amazonaws.com.cn', 'https://artifacts.s3.cn-north-1.amazonaws.com.cn/a%20b', 'cn-north-1'],
    ['https://minio.example.org:9000/artifacts/zone-a', 'https://minio.example.org:9000/artifacts/zone-a/a%20b', undefined],
    ['127.0.0.1:9000/artifacts', 'http://127.0.0.1:9000/artifacts/a%20b', undefined],
    ['storage.googleapis.com/artifacts', 'https://storage.googleapis.com/artifacts/a%20b', undefined],
  ] as const) {
    const location = parseBucketURL(text);
    assert.deepEqual([objectURL(location, 'a b').href, location.region], [object, region], text);
  }
  assert.equal(
    objectURL(inRegion(parseBucketURL('s3://artifacts/p'), 'eu-west-1'), 'k').href,
    'https://artifacts.s3.eu-west-1.amazonaws.com/p/k',
  );
  assert.equal(objectURL(parseBucketURL('s3://artifacts/p'), undefined, 'a=b').href, 'https://artifacts.s3.us-east-1.amazonaws.com/?a=b');
});

test('what is no address of a bucket, or no key, is refused without what it holds', () => {
  for (const text of [
    '',
    's3://',
    's3://x',
    's3://UP..CASE',
    'https://minio.example.org',
    'ftp://h/bucket',
    'https://h/bucket?x=y',
    'https://h/bucket/%2e%2e/%2e%2e',
    'https://h/bucket/%',
    'https://h/192.168.1.1',
    's3://evil.example.org@x/y',
  ]) {
    assert.throws(() => parseBucketURL(text), { name: 'TransferError' }, text);
  }
  assert.throws(
    () => parseBucketURL('https://key:hunter2hunter2@h/bucket'),
    (error: Error) => !error.message.includes('hunter2'),
  );
  const location = parseBucketURL('https://h/bucket/zone');
  for (const key of ['', '/a', '../a', 'a/../../b', 'a/./b', '..', 'a\u0000', 'a\\b', '\ud800', 'x'.repeat(1025)]) {
    assert.throws(() => objectURL(location, key), { code: 'InvalidReference' }, key);
  }
});
