import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type S3Server, type S3ServerOptions, startFileServer, startS3Server } from '@arc/testkit';
import { digestOf } from '../digest/digest.ts';
import { Bucket, type BucketOptions } from './bucket.ts';
import { parseBucketURL } from './bucket-location.ts';
import { BucketStore } from './bucket-store.ts';
import { listObjects } from './list-objects.ts';
import { once } from '../once.ts';

const retry = { attempts: 3, initialMs: 1, maxMs: 2, maxRetryAfterMs: 1000 };
const access = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'the-secret-key-of-tests', sessionToken: 'the-session-token' };
const large = randomBytes(17 * 1024 * 1024);

function open(server: S3Server, options: BucketOptions = {}): Bucket {
  return new Bucket(parseBucketURL(`${server.url}/artifacts`), { access, retry, ...options });
}

function start(options: S3ServerOptions = {}): Promise<S3Server> {
  return startS3Server({ users: [access], ...options });
}

const contentOf = (bytes: Buffer) => ({ digest: digestOf(bytes), size: bytes.length, open: () => once(bytes) });

test('a redirect is not followed: neither signature nor session token reach another host', async () => {
  await using server = await start();
  await using thief = await startFileServer({ files: { '/artifacts/a': 'x' } });
  for (const status of [301, 302, 307, 308]) {
    server.faults.clear();
    server.faults.add({ match: {}, times: 9, action: { kind: 'redirect', status, location: `${thief.url}/artifacts/a` } });
    using bucket = open(server);
    await assert.rejects(bucket.head('a'), { code: 'UnsafeURL' });
    await assert.rejects(bucket.put('a', Buffer.from('x')), { code: 'UnsafeURL' });
    await assert.rejects(Array.fromAsync(bucket.file('a').read()), { code: 'UnsafeURL' });
  }
  assert.equal(thief.requests.entries.length, 0);
});

test('a region that a service names changes the signature, and never the host of another service', async () => {
  await using server = await start();
  const headers = { 'x-amz-bucket-region': 'eu-central-1', location: 'https://artifacts.s3.eu-central-1.amazonaws.com/a' };
  server.faults.add({ match: {}, times: 9, action: { kind: 'status', status: 301, headers } });
  using bucket = open(server);
  await assert.rejects(bucket.head('a'), { code: 'UnsafeURL' });
  const regions = server.requests.entries.map((entry) => /\/\d{8}\/([^/]+)\//.exec(entry.headers['authorization'] ?? '')?.[1]);
  assert.deepEqual(regions, ['us-east-1', 'eu-central-1']);
  server.faults.clear();
  server.faults.add({ match: {}, action: { kind: 'status', status: 301, headers: { 'x-amz-bucket-region': 'evil.example.org/#' } } });
  using second = open(server);
  await assert.rejects(second.head('a'), { code: 'UnsafeURL' });
});

test('a connection that breaks is resumed by range with a new signature; an object that changes meanwhile is refused', async () => {
  await using server = await start();
  server.bucket().put('a', large);
  server.faults.add({ match: { method: 'GET' }, action: { kind: 'cut', afterBytes: 5_000_000 } });
  using bucket = open(server);
  assert.ok(Buffer.concat(await Array.fromAsync(bucket.file('a').read())).equals(large));
  const [, second] = server.requests.entries;
  assert.match(second?.headers['range'] ?? '', /^bytes=\d{6,7}-$/);
  assert.match(second?.headers['authorization'] ?? '', /SignedHeaders=[^,]*\brange\b/);
  server.faults.add({ match: { method: 'GET' }, action: { kind: 'cut', afterBytes: 5_000_000 } });
  const reading = bucket.file('a').read();
  await reading.next();
  server.bucket().put('a', Buffer.alloc(large.length, 'y'));
  await assert.rejects(Array.fromAsync(reading), { code: 'UnexpectedAnswer', message: /changed while it was read/ });
});

test('SlowDown, internal errors, damage on the way and lost answers are tried again', async () => {
  await using server = await start();
  const xml = (code: string) => `<Error><Code>${code}</Code><Message>x</Message></Error>`;
  const store = (bucket: Bucket) => new BucketStore(bucket);
  for (const [status, code] of [
    [503, 'SlowDown'],
    [500, 'InternalError'],
    [400, 'RequestTimeout'],
    [400, 'XAmzContentSHA256Mismatch'],
  ] as const) {
    server.faults.add({ match: { method: 'PUT' }, times: 2, action: { kind: 'status', status, body: xml(code) } });
    using bucket = open(server);
    await store(bucket).write(`small-${code}`, contentOf(Buffer.from('x')));
    server.faults.add({ match: { method: 'PUT', path: /partNumber=2/ }, times: 2, action: { kind: 'status', status, body: xml(code) } });
    await store(bucket).write(`large-${code}`, contentOf(large));
    assert.ok(server.bucket().bytes(`large-${code}`)?.equals(large));
  }
  using bucket = open(server);
  server.faults.add({ match: { method: 'PUT' }, action: { kind: 'lie', status: 500 } });
  await store(bucket).write('lied-small', contentOf(Buffer.from('x')));
  server.faults.add({ match: { method: 'POST', path: /uploadId=/ }, action: { kind: 'lie', status: 500 } });
  await store(bucket).write('lied-large', contentOf(large));
  assert.deepEqual([server.bucket().bytes('lied-large')?.equals(large), server.bucket().uploads.size], [true, 0]);
  server.faults.add({ match: { method: 'PUT' }, times: 9, action: { kind: 'status', status: 503, body: xml('SlowDown') } });
  await assert.rejects(store(bucket).write('never', contentOf(Buffer.from('x'))), { code: 'RateLimited', retryable: true, tries: 3 });
});

test('a part that cannot be sent takes the upload back; a completion that fails under 200 is a failure', async () => {
  await using server = await start();
  using bucket = open(server);
  const store = new BucketStore(bucket);
  server.faults.add({ match: { method: 'PUT', path: /partNumber=1&/ }, times: 9, action: { kind: 'cut', afterBytes: 100_000 } });
  await assert.rejects(store.write('a', contentOf(large)), { code: 'ConnectionFailed' });
  server.faults.clear();
  const body = '<?xml version="1.0"?>\n\n<Error><Code>InternalError</Code><Message>x</Message></Error>';
  server.faults.add({ match: { method: 'POST', path: /uploadId=/ }, times: 9, action: { kind: 'status', status: 200, body } });
  await assert.rejects(store.write('a', contentOf(large)), { code: 'ServerError', retryable: true });
  assert.deepEqual([server.bucket().objects.size, server.bucket().uploads.size], [0, 0]);
});

test('a service without conditional writes or checksums is written to, and the receipt can say so', async () => {
  await using server = await start({ conditions: false, checksums: false });
  using bucket = open(server);
  const store = new BucketStore(bucket);
  await store.write('small', contentOf(Buffer.from('x')));
  await store.write('large', contentOf(large));
  assert.ok(server.bucket().bytes('large')?.equals(large));
  assert.match(store.warnings[0] ?? '', /knows no conditional writes/);
  assert.equal(await store.digest('small', digestOf(Buffer.from('x'))), digestOf(Buffer.from('x')));
});

test('whoever may only write is told what is there by the condition', async () => {
  await using server = await start();
  server.bucket().put('a', 'other');
  const denied = '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';
  server.faults.add({ match: { method: ['GET', 'HEAD'] }, times: 99, action: { kind: 'status', status: 403, body: denied } });
  using bucket = open(server);
  const store = new BucketStore(bucket);
  assert.equal(await store.digest('b', digestOf(Buffer.from('x'))), undefined);
  await store.write('b', contentOf(Buffer.from('x')));
  await assert.rejects(store.write('a', contentOf(Buffer.from('x'))), { code: 'TagConflict' });
  assert.equal(String(server.bucket().bytes('a')), 'other');
});

test('listings that do not end, lie or attack the parser are refused', async () => {
  await using server = await start();
  const page = (inside: string, truncated = false, token = '') =>
    `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${truncated}</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>${inside}</ListBucketResult>`;
  const entry = (key: string, size = '1') => `<Contents><Key>${key}</Key><Size>${size}</Size></Contents>`;
  const bombs = `<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>`;
  for (const [body, message] of [
    [page(entry('p/a'), true, 'same'), /does not end/],
    [page(entry('p/a'), true), /does not end/],
    [page(entry('other/a')), /not asked for/],
    [page(entry('..%2F..%2Fetc')), /not asked for/],
    [page(entry('p/a', '-1')), /without a size/],
    [page(entry('p/a', '9'.repeat(40))), /without a size/],
    [page(entry('p/%ff')), /cannot be decoded/],
    [`${bombs}<ListBucketResult>&b;</ListBucketResult>`, /declares a document type/],
    [`<a>${'<b>'.repeat(1000)}`, /too many/],
    ['<html><body>console</body></html>', /answers a listing with "html"/],
    ['x'.repeat(9 * 1024 * 1024), /larger than/],
  ] as const) {
    server.faults.clear();
    server.faults.add({ match: {}, times: 999, action: { kind: 'status', status: 200, body } });
    using bucket = open(server);
    await assert.rejects(Array.fromAsync(listObjects(bucket, 'p/', { limit: 100 })), { message }, body.slice(0, 80));
  }
  server.faults.clear();
  for (let count = 0; count < 40; count += 1) {
    server.faults.add({ match: {}, action: { kind: 'status', status: 200, body: page('', true, `token-${count}`) } });
  }
  using bucket = open(server);
  await assert.rejects(Array.fromAsync(listObjects(bucket, 'p/', { limit: 100 })), { message: /does not end/ });
});

test('hostile and unhelpful error texts are cut, cleaned and hold no secret', async () => {
  await using server = await start();
  const text = `<Error><Code>Odd\u001b[31mCode</Code><Message>\u202e https://x/?X-Amz-Credential=0123456789abcdef ${'m\u0007\n'.repeat(5000)}</Message></Error>`;
  for (const body of [text, '<html>gateway</html>', '<Error><Code>', '\u0000\u001b]0;title\u0007']) {
    server.faults.clear();
    server.faults.add({ match: {}, times: 99, action: { kind: 'status', status: 400, body } });
    using bucket = open(server);
    const error = await bucket.put('a', Buffer.from('x')).catch((thrown: unknown) => thrown as Error);
    assert.ok(error instanceof Error);
    const shown = `${error.message}${JSON.stringify(error)}`;
    assert.ok(error.message.length < 800);
    assert.doesNotMatch(error.message, /[\u0000-\u001f\u007f\u202e]|0123456789abcdef/);
    for (const secret of [access.secretAccessKey, access.sessionToken, 'Signature=']) assert.ok(!shown.includes(secret));
  }
});
